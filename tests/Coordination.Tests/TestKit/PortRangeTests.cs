using System.Net;
using System.Net.Sockets;
using Coordination.TestKit.Servers;

namespace Coordination.Tests.TestKit;

public sealed class PortRangeTests
{
    [Fact]
    public void A_range_belongs_to_one_until_it_is_left()
    {
        var first = FreePort.Take();
        using (PortRange.Claim(first, ranges: 1, size: 2))
        {
            var fault = Assert.Throws<InvalidOperationException>(() => PortRange.Claim(first, ranges: 1, size: 2));
            Assert.Contains($"from {first} to {first + 1}", fault.Message, StringComparison.Ordinal);
        }

        PortRange.Claim(first, ranges: 1, size: 2).Dispose();
    }

    [Fact]
    public void Ports_are_handed_out_in_turn_and_only_where_nobody_listens()
    {
        using var range = PortRange.Claim(FreePort.Take(), ranges: 1, size: 3);
        var (one, other) = (range.Take(), range.Take());
        Assert.NotEqual(one, other);

        using var listener = new TcpListener(IPAddress.Loopback, other);
        listener.Start();
        Assert.Equal(one, range.Take());
        Assert.Equal(one, range.Take());
    }
}
