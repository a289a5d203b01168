using Coordination.Hosting.Tests.Nodes;
using Coordination.Stores;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Coordination.Hosting.Tests.Periodic;

/// <summary>What becomes of a slot when it is asked for, cut short, or not confirmed.</summary>
public sealed class PeriodicOccurrenceTests
{
    private static readonly TimeSpan Interval = PeriodicNode.Interval;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    [Promise("G11")]
    [Failure("F90")]
    public async Task A_run_that_returns_because_it_is_told_to_stop_is_taken_over()
    {
        await using var cluster = new Cluster();
        var a = await PeriodicNode.StartAsync(cluster, "a", work: (_, stop) => Task.Delay(Timeout.Infinite, stop).ContinueWith(_ => { }, TaskScheduler.Default));
        await Cluster.UntilAsync(() => a.Runs.All.Count == 1, "a runs");
        var b = await PeriodicNode.StartAsync(cluster, "b");
        await PeriodicNode.IsWaitedForAsync(cluster);

        await a.Node.StopAsync();
        await Cluster.UntilAsync(() => b.Runs.All.Count == 1, "b runs");
        Assert.Equal(a.Runs.All.Single().ScheduledFor, b.Runs.All.Single().ScheduledFor);
        Assert.True(b.Runs.All.Single().IsRecovery);
    }

    [Fact]
    [Failure("F90")]
    public async Task A_run_that_is_cut_short_and_not_recovered_is_warned_of()
    {
        await using var cluster = new Cluster();
        var a = await PeriodicNode.StartAsync(cluster, "a", o => o.RecoverInterrupted = false, (_, stop) => Task.Delay(Timeout.Infinite, stop));
        await Cluster.UntilAsync(() => a.Runs.All.Count == 1, "a runs");
        await a.Node.StopAsync();
        var line = Assert.Single(a.Node.Log, record => record.Id.Id == 1228);
        Assert.Equal(LogLevel.Warning, line.Level);
        Assert.Contains("IPeriodicTrigger", line.Message, StringComparison.Ordinal);

        // Live nodes know that the slot is over, and ask no more for it.
        Assert.DoesNotContain("ForgetOccurrenceAsync", line.Message, StringComparison.Ordinal);
    }

    [Fact]
    [Promise("G11", "G12")]
    [Failure("F90")]
    public async Task A_run_that_is_done_is_remembered_though_its_release_takes_a_while()
    {
        await using var cluster = new Cluster();
        var a = await PeriodicNode.StartAsync(cluster, "a", store: store => store.ReleaseFault = StoreWithFaults.Away);
        await Cluster.UntilAsync(() => a.Runs.All.Count == 1, "a runs");
        await cluster.AdvanceAsync(Cluster.LeaseDuration / 2);
        a.Node.Store.ReleaseFault = null;
        await cluster.AdvanceUntilAsync(() => a.Node.Logged(1221) == 1, TimeSpan.FromSeconds(5), "the run of a has ended");
        Assert.Equal(0, a.Node.Logged(1226));

        var b = await PeriodicNode.StartAsync(cluster, "b");
        await PeriodicNode.PassAsync(cluster, Interval / 2);
        Assert.Empty(b.Runs.All);
    }

    [Fact]
    [Failure("F90")]
    public async Task A_run_whose_end_the_store_did_not_confirm_is_warned_of()
    {
        await using var cluster = new Cluster();
        var a = await PeriodicNode.StartAsync(cluster, "a", store: store => store.ReleaseFault = StoreWithFaults.Away);
        await cluster.AdvanceUntilAsync(() => a.Node.Logged(1221) == 1, 2 * Cluster.LeaseDuration, "the run of a has ended");
        Assert.Equal(LogLevel.Warning, Assert.Single(a.Node.Log, record => record.Id.Id == 1226).Level);
    }

    /// <summary>Its node asks again under the same name, and so finds that it is its own.</summary>
    [Theory]
    [Promise("G6", "G11")]
    [Failure("F3")]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_slot_whose_grant_was_lost_on_its_way_is_run_and_not_as_a_recovery(bool recover)
    {
        await using var cluster = new Cluster();
        var noRelease = new TaskCompletionSource();
        var a = await PeriodicNode.StartAsync(cluster, "a", o => o.RecoverInterrupted = recover, store: store => (store.LosesGrants, store.ReleaseGate) = (true, noRelease.Task));
        await cluster.AdvanceUntilAsync(() => a.Node.Store.Calls >= 2, Interval / 4, "a asks again");
        Assert.Empty(a.Runs.All);

        // No undo is applied: the grant that was lost runs out.
        a.Node.Store.LosesGrants = false;
        await cluster.AdvanceUntilAsync(() => a.Runs.All.Count == 1, Interval / 4, "a runs");
        Assert.False(a.Runs.All.Single().IsRecovery);
        Assert.Equal(PeriodicNode.Start, a.Runs.All.Single().ScheduledFor);
        a.Node.Store.ReleaseGate = Task.CompletedTask;
        noRelease.SetResult();
    }

    [Fact]
    [Promise("G13")]
    [Failure("F70")]
    public async Task Two_services_that_share_a_lock_run_their_own_slots()
    {
        await using var cluster = new Cluster();
        var runs = new Runs();
        await StartAsync<CountingService>("a");
        await StartAsync<OtherService>("b");
        Assert.Equal(2, runs.All.Select(run => run.Lease.FencingToken).Distinct().Count());

        async Task StartAsync<TService>(string name)
            where TService : ExclusivePeriodicService
        {
            var node = cluster.CreateNode(name, services => services
                .AddSingleton(runs)
                .AddExclusivePeriodicService<TService>(o => (o.Interval, o.LockName) = (Interval, "shared")));
            await node.Host.StartAsync(Token);
            await Cluster.UntilAsync(() => node.Logged(1221) == 1, $"{name} has run");
        }
    }

    [Fact]
    [Failure("F81")]
    public async Task A_remembered_slot_of_the_future_is_warned_of_once_with_what_to_do()
    {
        await using var cluster = new Cluster();
        await using var ahead = new Cluster(cluster.Store);
        ahead.Time.Advance(10 * Interval);
        var fast = await PeriodicNode.StartAsync(ahead, "fast");
        await Cluster.UntilAsync(() => fast.Node.Logged(1221) == 1, "the node whose clock is ahead has run");

        var a = await PeriodicNode.StartAsync(cluster, "a");
        await PeriodicNode.PassAsync(cluster, 3 * Interval);
        Assert.Empty(a.Runs.All);
        var line = Assert.Single(a.Node.Log, record => record.Id.Id == 1227);
        Assert.Equal(LogLevel.Warning, line.Level);
        Assert.Contains(fast.Node.NodeId, line.Message, StringComparison.Ordinal);

        // It does what the line says.
        var series = Assert.Single(line.StructuredState!, pair => pair.Key == "Series").Value!;
        Assert.True(await a.Node.Host.Services.GetRequiredService<ILockInspector>().ForgetOccurrenceAsync(CountingService.LockName, series, Token));
        await PeriodicNode.PassAsync(cluster, Interval / 5);
        await Cluster.UntilAsync(() => a.Runs.All.Count == 1, "a runs the slot that it was silent for");
    }

    [Fact]
    [Failure("F81")]
    public async Task A_node_whose_own_clock_was_ahead_says_so_and_runs_when_that_is_forgotten()
    {
        await using var cluster = new Cluster();
        await using var ahead = new Cluster(cluster.Store);
        ahead.Time.Advance(10 * Interval);
        var a = await PeriodicNode.StartAsync(ahead, "a");
        await Cluster.UntilAsync(() => a.Node.Logged(1221) == 1, "it has run");

        ahead.Time.AdjustTime(cluster.Time.GetUtcNow());
        await PeriodicNode.PassAsync(ahead, Interval / 2);
        await Cluster.UntilAsync(() => a.Node.Logged(1227) == 1, "it says why it is silent");
        var series = Assert.Single(a.Node.Log.Single(record => record.Id.Id == 1227).StructuredState!, pair => pair.Key == "Series").Value!;
        Assert.True(await a.Node.Host.Services.GetRequiredService<ILockInspector>().ForgetOccurrenceAsync(CountingService.LockName, series, Token));
        await PeriodicNode.PassAsync(ahead, Interval / 5);
        await Cluster.UntilAsync(() => a.Runs.All.Count == 2, "it runs");
        Assert.Equal(PeriodicNode.Start, a.Runs.All.Last().ScheduledFor);
    }

    [Fact]
    [Failure("F65")]
    public async Task A_failure_that_nobody_expected_is_logged_and_does_not_end_the_schedule()
    {
        await using var cluster = new Cluster();
        var a = await PeriodicNode.StartAsync(cluster, "a", store: store => store.ReleaseReplies = new ReleaseReply { Outcome = (ReleaseOutcome)99 });
        await Cluster.UntilAsync(() => a.Runs.All.Count == 1, "a runs");
        await cluster.AdvanceUntilAsync(() => a.Node.Logged(1229) == 1, Cluster.LeaseDuration, "the failure is logged");
        Assert.Equal(LogLevel.Error, a.Node.Log.First(record => record.Id.Id == 1229).Level);

        a.Node.Store.ReleaseReplies = null;
        await cluster.AdvanceUntilAsync(() => a.Node.Logged(1221) == 1, Interval, "a runs again");
    }

    private sealed class OtherService(Runs runs) : ExclusivePeriodicService
    {
        protected override Task RunAsync(PeriodicRun run, CancellationToken stoppingToken)
        {
            runs.All.Enqueue(run);
            return Task.CompletedTask;
        }
    }
}
