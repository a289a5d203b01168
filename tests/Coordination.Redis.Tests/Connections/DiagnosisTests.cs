using System.Net;
using System.Net.Sockets;
using Coordination.Redis.Connections;

namespace Coordination.Redis.Tests.Connections;

public sealed class DiagnosisTests
{
    private static readonly TimeSpan Bound = TimeSpan.FromMinutes(1);

    /// <summary>As the disposal of a host does that waits for a connection, which waits for the cause as well.</summary>
    [Fact]
    public async Task Who_waits_for_the_cause_and_then_blocks_holds_up_nobody_else_who_waits()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        var finding = new Diagnosis(() => [listener.LocalEndpoint], () => false).BeginAsync();
        using var goesOn = new ManualResetEventSlim();

        var blocks = BlockAsync();
        await GoOnAsync();

        Assert.True(await blocks.WaitAsync(Bound, TestContext.Current.CancellationToken), "The other was held up.");

        async Task<bool> BlockAsync()
        {
            await finding.WaitAsync(Bound, TestContext.Current.CancellationToken).ConfigureAwait(false);
            return goesOn.Wait(Bound / 2, TestContext.Current.CancellationToken);
        }

        async Task GoOnAsync()
        {
            await finding.ConfigureAwait(false);
            goesOn.Set();
        }
    }
}
