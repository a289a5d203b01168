using Coordination.Tests.Leases;
using Microsoft.Extensions.Logging;

namespace Coordination.Tests.Telemetry;

public sealed class OutageLogTests
{
    [Fact]
    [Promise("G12")]
    public async Task An_outage_is_said_at_once_less_and_less_often_after_that_and_when_it_is_over()
    {
        await using var node = new TestNode();
        node.Store.IsAway = true;
        Task<ILockLease> waiting = null!;
        await node.UntilAsleepAsync(() => waiting = node.AcquireAsync());
        node.Advance(TimeSpan.FromSeconds(185));
        node.Store.IsAway = false;
        Assert.True(node.AdvanceUntil(() => waiting.IsCompleted, TimeSpan.FromSeconds(5)));

        var lines = node.Logs.GetSnapshot().Where(line => line.Level >= LogLevel.Information && line.Id.Id is >= 1010 and <= 1019).ToList();
        Assert.Equal([1010, 1011, 1011, 1011, 1011, 1011, 1012], lines.Select(line => line.Id.Id));
        var elapsed = lines[1..^1].Select(line => TimeSpan.Parse(line.StructuredState!.First(item => item.Key == "Elapsed").Value!, null).TotalSeconds).ToList();
        Assert.Equal([5.0, 15, 60, 120, 180], elapsed.Select(seconds => Math.Floor(seconds / 5) * 5));
        Assert.DoesNotContain(node.Logs.GetSnapshot(), line => line.Exception is not null);
    }

    [Fact]
    public async Task A_lease_says_one_line_for_each_change_of_state()
    {
        await using var node = new TestNode();
        var lease = await node.AcquireAsync();
        node.Store.FailRenewals = true;
        node.Advance(TimeSpan.FromSeconds(10));
        node.Store.FailRenewals = false;
        node.Advance(TimeSpan.FromSeconds(10));
        await lease.ReleaseAsync(TestContext.Current.CancellationToken);
        var lines = node.Logs.GetSnapshot().Where(line => line.Id.Id is >= 1000 and < 1010).Select(line => line.Id.Id);
        Assert.Equal([1000, 1002, 1003, 1001], lines);
    }
}
