using System.Diagnostics.Metrics;
using Coordination.Hosting.Leadership;
using Coordination.Hosting.Services;
using Coordination.Hosting.Tests.Nodes;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Diagnostics.Metrics.Testing;
using Microsoft.Extensions.Logging;

namespace Coordination.Hosting.Tests.Services;

/// <summary>A rolling update that changes how many nodes of a service lead at a time.</summary>
public sealed class RollingUpdateTests
{
    private const int DeferredLine = 1219;

    [Theory]
    [Promise("G1", "G15")]
    [InlineData(1, 3)]
    [InlineData(3, 1)]
    [InlineData(2, 3)]
    [InlineData(3, 2)]
    public async Task Nodes_with_a_new_number_wait_until_the_old_ones_have_gone(int before, int after)
    {
        await using var cluster = new Cluster();
        var work = new WorkOfAll();
        var first = await StartAsync(cluster, work, "old-0", before);
        await first.LeadsAsync();
        var old = new[] { first, await StartAsync(cluster, work, "old-1", before) };
        await (before > 1 ? old[1].LeadsAsync() : old[1].StandsByAsync());
        var young = new[] { await StartAsync(cluster, work, "young-0", after), await StartAsync(cluster, work, "young-1", after) };
        await Cluster.UntilAsync(() => young.All(node => node.Logged(DeferredLine) == 1), "the young ones say that they wait");
        Assert.All(young, node =>
        {
            var line = node.Log.Single(record => record.Id.Id == DeferredLine);
            Assert.Equal(LogLevel.Warning, line.Level);
            Assert.Contains($"is set to {after} leader(s) at a time", line.Message, StringComparison.Ordinal);
            Assert.Contains(before == 1 ? "as an exclusive lock" : $"as a semaphore of {before} permits", line.Message, StringComparison.Ordinal);
        });

        // They ask every one to two seconds, and say nothing more.
        var calls = young.Select(node => node.Store.Calls).ToList();
        await cluster.AdvanceAsync(2 * Cluster.LeaseDuration, TermsOf(old));
        Assert.All(young.Zip(calls), asked => Assert.InRange(asked.First.Store.Calls - asked.Second, 5, 30));
        foreach (var node in young)
        {
            Assert.Equal((1, 0, 0), (node.Logged(DeferredLine), node.Logged(1207), node.Work.Terms));
            await IsHealthyStandbyAsync(node);
        }

        // Where the clock ran ahead of a busy machine, the one that waits has yet to say that it does still.
        await cluster.AdvanceUntilAsync(() => old[1].Work.IsRunning || WaitsAsync(cluster, old[1]).GetAwaiter().GetResult(), Cluster.LeaseDuration, "the old one waits still", keep: TermsOf(old));

        // One after the other, and the last one goes.
        await old[0].StopAsync();
        await old[1].LeadsAsync();
        await cluster.AdvanceAsync(TimeSpan.FromSeconds(5), old[1].Work.Term);
        Assert.All(young, node => Assert.Equal(0, node.Work.Terms));
        await old[1].StopAsync();
        await cluster.AdvanceUntilAsync(
            () => young.Count(node => node.Work.IsRunning) == Math.Min(after, 2), TimeSpan.FromSeconds(10), "the young ones lead", TimeSpan.FromMilliseconds(250));
        Assert.Empty(work.Wrongs);
        Assert.DoesNotContain(young.SelectMany(node => node.Log), record => record.Level > LogLevel.Warning);
        if (after == 1)
        {
            await cluster.AdvanceUntilAsync(
                () => young.Any(node => Phase(node) == ServicePhase.Standby && node.Logged(1208) == 1), TimeSpan.FromSeconds(10), "the other stands by, and says so", keep: TermsOf(young));
        }

        // An old one that comes back waits in the same way.
        var late = await StartAsync(cluster, work, "old-2", before);
        await Cluster.UntilAsync(() => late.Logged(DeferredLine) == 1 && Phase(late) == ServicePhase.Deferred, "the old one waits");
        Assert.Equal(0, late.Work.Terms);
        Assert.Equal(Math.Max(Math.Min(before, 2), Math.Min(after, 2)), work.Most);
    }

    [Fact]
    public async Task A_node_that_waits_says_it_again_when_others_use_the_lock_in_another_way()
    {
        await using var cluster = new Cluster();
        var work = new WorkOfAll();
        var one = await StartAsync(cluster, work, "one", 1);
        await one.LeadsAsync();
        var two = await StartAsync(cluster, work, "two", 2);
        await Cluster.UntilAsync(() => two.Logged(DeferredLine) == 1, "it waits for one leader");
        await one.StopAsync();
        var three = await StartAsync(cluster, work, "three", 3);
        await three.LeadsAsync();
        await cluster.AdvanceUntilAsync(() => two.Logged(DeferredLine) == 2, TimeSpan.FromSeconds(10), "it waits for three", keep: three.Work.Term);
        Assert.Contains("a semaphore of 3 permits", two.Log.Last(record => record.Id.Id == DeferredLine).Message, StringComparison.Ordinal);
        Assert.Empty(work.Wrongs);
    }

    [Fact]
    [Failure("F25")]
    public async Task A_node_that_waits_for_others_to_go_stops_at_once()
    {
        await using var cluster = new Cluster();
        var work = new WorkOfAll();
        var one = await StartAsync(cluster, work, "one", 1);
        await one.LeadsAsync();
        var two = await StartAsync(cluster, work, "two", 2);
        await Cluster.UntilAsync(() => Phase(two) == ServicePhase.Deferred, "it waits");

        // The clock stands still.
        await two.StopAsync();
        Assert.Equal(ServicePhase.Stopped, Phase(two));
        Assert.Equal(0, two.Logged(1209));
    }

    [Fact]
    [Failure("F58")]
    public async Task Another_refusal_while_it_waits_is_a_failure_as_ever()
    {
        await using var cluster = new Cluster();
        var work = new WorkOfAll();
        var one = await StartAsync(cluster, work, "one", 1);
        await one.LeadsAsync();
        var two = await StartAsync(cluster, work, "two", 2);
        await Cluster.UntilAsync(() => two.Logged(DeferredLine) == 1, "it waits");
        two.Store.AcquireFault = new LockStoreException("The password is wrong.");
        await cluster.AdvanceUntilAsync(() => two.Logged(1207) == 1, TimeSpan.FromSeconds(10), "it is refused", keep: one.Work.Term);
        two.Store.AcquireFault = null;
        await cluster.AdvanceUntilAsync(() => two.Logged(DeferredLine) == 2, TimeSpan.FromSeconds(20), "it waits again", keep: one.Work.Term);
    }

    [Fact]
    [Failure("F85")]
    public async Task A_node_that_waits_for_others_to_go_counts_no_failed_call()
    {
        await using var cluster = new Cluster();
        var work = new WorkOfAll();
        var one = await StartAsync(cluster, work, "one", 1);
        await one.LeadsAsync();
        var two = await StartAsync(cluster, work, "two", 2);
        using var calls = new MetricCollector<double>(
            two.Host.Services.GetRequiredService<IMeterFactory>(), CoordinationInstrumentation.MeterName, "coordination.acquire.duration");
        await cluster.AdvanceUntilAsync(() => Outcomes().Count >= 3, TimeSpan.FromSeconds(20), "it has asked three times", keep: one.Work.Term);
        Assert.All(Outcomes(), outcome => Assert.Equal("held", outcome));

        List<object?> Outcomes()
        {
            two.FlushTelemetry();
            return [.. calls.GetMeasurementSnapshot().Select(call => call.Tags["coordination.acquire.outcome"])];
        }
    }

    private static ServicePhase Phase(TestNode node) => node.Host.Services.GetRequiredService<ExclusiveServices>().All[0].Leadership.Status.Phase;

    private static ILease[] TermsOf(IEnumerable<TestNode> nodes) => [.. nodes.Where(node => node.Work.IsRunning).Select(node => node.Work.Term)];

    private static Task<TestNode> StartAsync(Cluster cluster, WorkOfAll work, string name, int instances) => cluster.StartNodeAsync(
        name,
        o => o.Instances = instances,
        services => services.AddHealthChecks().AddCoordinationHealthCheck().AddCoordinationReadyCheck(),
        work.Of(instances));

    private static async Task IsHealthyStandbyAsync(TestNode node)
    {
        var report = await node.CheckHealthAsync();
        Assert.Equal(HealthStatus.Healthy, report.Status);
        var checkedLock = ((IReadOnlyDictionary<string, IReadOnlyDictionary<string, object>>)report.Entries["coordination"].Data["locks"])[WorkingService.LockName];
        Assert.Equal(("standby", "deferred", 0), ((string)checkedLock["role"], (string)checkedLock["state"], (int)checkedLock["failuresInARow"]));
        Assert.Contains((string)checkedLock["inUseAs"], report.Entries["coordination"].Description, StringComparison.Ordinal);
    }

    private static async Task<bool> WaitsAsync(Cluster cluster, TestNode node) =>
        (await cluster.Store.InspectAsync(WorkingService.LockName, 10, TestContext.Current.CancellationToken)).Waiters.Any(waiter => waiter.IsAlive && waiter.Owner.NodeId == node.NodeId);
}
