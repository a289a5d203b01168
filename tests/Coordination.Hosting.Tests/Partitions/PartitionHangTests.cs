using Coordination.Hosting.Health;
using Coordination.Hosting.Partitions;
using Coordination.Hosting.Tests.Nodes;
using Microsoft.Extensions.DependencyInjection;

namespace Coordination.Hosting.Tests.Partitions;

/// <summary>What hangs, the store, the user's list or the work of one partition, keeps neither a node from stopping nor a partition from being led.</summary>
[Failure("F24")]
public sealed class PartitionHangTests
{
    private const int CannotListLine = 1266;
    private const int ListsAgainLine = 1267;
    private const int StillRunsLine = 1209;
    private const int StillRunsWithoutLockLine = 1251;

    /// <summary>For how long a node stays away from a partition that was to pass to a node which does not wait.</summary>
    private static readonly TimeSpan AwayAfterStepDown = TimeSpan.FromMinutes(1);

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    [Promise("G10", "G12")]
    public async Task All_work_is_told_in_time_by_a_stop_also_where_the_store_hangs()
    {
        await using var cluster = new Cluster();
        var work = new PartitionWorkOfAll();
        var (a, _) = await cluster.StartTwoPartitionNodesAsync(work);
        var well = Hang(a);
        var at = cluster.Time.GetUtcNow();
        var stopping = a.StopAsync();
        await cluster.PassUntilAsync(work, () => work.RunningOn(a.NodeId) == 0, TimeSpan.FromSeconds(20), "all work is told");
        Assert.InRange(cluster.Time.GetUtcNow() - at, TimeSpan.Zero, PartitionNode.BalanceInterval + TimeSpan.FromSeconds(1.5));
        well.SetResult();
        await cluster.PassUntilAsync(work, () => stopping.IsCompleted, TimeSpan.FromSeconds(20), "a has stopped");
    }

    [Theory]
    [Promise("G12", "G14")]
    [InlineData(1000)]
    [InlineData(300)]
    public async Task A_drain_tells_the_first_partition_in_time_also_where_the_store_hangs(int balanceInterval)
    {
        await using var cluster = new Cluster();
        var (work, interval) = (new PartitionWorkOfAll(), TimeSpan.FromMilliseconds(balanceInterval));
        var (a, _) = await cluster.StartTwoPartitionNodesAsync(work, options => options.BalanceInterval = interval);
        var well = Hang(a);
        var at = cluster.Time.GetUtcNow();
        var draining = a.Host.Services.GetRequiredService<NodeDrain>().DrainAsync(Token);
        await cluster.PassUntilAsync(work, () => work.RunningOn(a.NodeId) < 6, TimeSpan.FromSeconds(20), "the first is told");
        Assert.InRange(cluster.Time.GetUtcNow() - at, TimeSpan.Zero, (3 * interval) + TimeSpan.FromSeconds(1));
        well.SetResult();
        await cluster.PassUntilAsync(work, () => draining.IsCompletedSuccessfully, TimeSpan.FromMinutes(1), "a is drained");
    }

    [Fact]
    [Promise("G12", "G14")]
    public async Task A_drain_tells_the_first_in_time_also_where_the_store_hangs_after_a_look()
    {
        await using var cluster = new Cluster();
        var work = new PartitionWorkOfAll();
        var (a, b) = await cluster.StartTwoPartitionNodesAsync(work);

        // It does not come to wait for what is given away.
        b.Store.AcquireGate = new TaskCompletionSource().Task;
        var at = cluster.Time.GetUtcNow();
        var draining = a.Host.Services.GetRequiredService<NodeDrain>().DrainAsync(Token);
        await Cluster.UntilAsync(() => a.Partitions.Members.Count == 1, "a has looked, while the clock stands");
        var well = Hang(a);
        await cluster.PassUntilAsync(work, () => work.RunningOn(a.NodeId) < 6, TimeSpan.FromSeconds(20), "the first is told");
        Assert.InRange(cluster.Time.GetUtcNow() - at, TimeSpan.Zero, (3 * PartitionNode.BalanceInterval) + TimeSpan.FromSeconds(1));
        b.Store.AcquireGate = Task.CompletedTask;
        well.SetResult();
        await cluster.PassUntilAsync(work, () => draining.IsCompletedSuccessfully, TimeSpan.FromMinutes(1), "a is drained");
    }

    [Theory]
    [Failure("F65")]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_list_of_partitions_that_does_not_come_is_said_once_and_changes_nothing(bool looksAtToken)
    {
        await using var cluster = new Cluster();
        var work = new PartitionWorkOfAll();
        var (gate, names) = (new TaskCompletionSource(), new PartitionNames { Now = ["x", "y"], LooksAtToken = looksAtToken });
        var a = await cluster.StartPartitionNodeAsync("a", work, partitions: null, names: names, configure: static options => options.PartitionsInterval = TimeSpan.FromSeconds(1));
        await cluster.SharedAsync(work, (a, 2));
        names.Gate = gate.Task;
        var calls = names.Calls;
        await cluster.PassUntilAsync(work, () => a.Logged(CannotListLine) == 1, TimeSpan.FromMinutes(2), "it says that the list does not come");
        await cluster.PassAsync(work, TimeSpan.FromMinutes(2));
        Assert.Equal((1, 2, 2), (a.Logged(CannotListLine), work.RunningOn(a.NodeId), a.Partitions.PartitionCount));

        // It is not called twice at a time, and again when the call before it has ended.
        Assert.InRange(names.Calls - calls, looksAtToken ? 2 : 1, looksAtToken ? 5 : 1);
        names.Now = ["x", "y", "z"];
        gate.SetResult();
        await cluster.SharedAsync(work, (a, 3));
        Assert.Equal(1, a.Logged(ListsAgainLine));
    }

    [Fact]
    [Failure("F65")]
    public async Task A_node_whose_first_list_does_not_come_says_so_and_stops_at_once()
    {
        await using var cluster = new Cluster();
        var work = new PartitionWorkOfAll();
        var names = new PartitionNames { Gate = new TaskCompletionSource().Task };
        var a = await cluster.StartPartitionNodeAsync("a", work, names: names);
        await cluster.PassUntilAsync(work, () => a.Logged(CannotListLine) == 1, TimeSpan.FromMinutes(2), "it says that the list does not come");
        Assert.Equal(1, names.Calls);
        await StopsAsync(cluster, work, a);
    }

    [Fact]
    [Promise("G10")]
    [Failure("F65")]
    public async Task A_stop_does_not_wait_for_a_list_that_does_not_come()
    {
        await using var cluster = new Cluster();
        var work = new PartitionWorkOfAll();
        var names = new PartitionNames();
        var a = await cluster.StartPartitionNodeAsync("a", work, names: names, configure: static options => options.PartitionsInterval = TimeSpan.FromSeconds(1));
        await cluster.SharedAsync(work, (a, 12));
        var calls = names.Calls;
        names.Gate = new TaskCompletionSource().Task;
        await cluster.PassUntilAsync(work, () => names.Calls > calls, TimeSpan.FromMinutes(1), "it is asked");
        await cluster.PassAsync(work, 2 * PartitionNode.BalanceInterval);
        await StopsAsync(cluster, work, a);
    }

    [Fact]
    [Promise("G10")]
    public async Task A_stop_lets_a_list_that_was_told_come_to_its_end_for_a_second()
    {
        await using var cluster = new Cluster();
        var work = new PartitionWorkOfAll();
        var names = new PartitionNames();
        var a = await cluster.StartPartitionNodeAsync("a", work, names: names, configure: static options => options.PartitionsInterval = TimeSpan.FromSeconds(1));
        await cluster.SharedAsync(work, (a, 12));
        var (calls, gate) = (names.Calls, new TaskCompletionSource());
        names.Gate = gate.Task;
        await cluster.PassUntilAsync(work, () => names.Calls > calls, TimeSpan.FromMinutes(1), "it is asked");
        var stopping = a.StopAsync();
        await Cluster.UntilAsync(() => a.Partitions.Led.Count == 0 && work.Running == 0, "all else has ended");
        await cluster.PassAsync(work, TimeSpan.FromMilliseconds(500));
        Assert.False(stopping.IsCompleted);

        // The clock stands.
        gate.SetResult();
        await stopping.WaitAsync(TimeSpan.FromMinutes(1), Token);
    }

    [Fact]
    [Promise("G10")]
    public async Task A_host_that_waits_no_longer_names_the_partition_whose_lock_is_held()
    {
        await using var cluster = new Cluster();
        var work = new PartitionWorkOfAll();
        var letGo = new TaskCompletionSource();
        work.Do["3"] = (_, _) => letGo.Task;
        var a = await cluster.StartPartitionNodeAsync("a", work);
        await cluster.SharedAsync(work, (a, 12));
        using var stop = new CancellationTokenSource();
        var stopping = a.Host.StopAsync(stop.Token);
        await Cluster.UntilAsync(() => work.Running == 1, "all other work has ended");
        await Cluster.UntilAsync(() => a.Partitions.Led.Count == 1, "and their locks are released");
        await stop.CancelAsync();
        await stopping.ContinueWith(static _ => { }, TaskScheduler.Default);
        var line = a.Log.Single(static record => record.Id.Id == StillRunsLine).Message;
        Assert.Contains("SharedService[3]", line, StringComparison.Ordinal);
        Assert.Contains($"'{SharedService.LockName}/3'", line, StringComparison.Ordinal);
        letGo.SetResult();
    }

    [Fact]
    [Promise("G10")]
    public async Task A_host_that_waits_no_longer_speaks_of_no_lock_where_none_is_held()
    {
        await using var cluster = new Cluster();
        var work = new PartitionWorkOfAll();
        var a = await cluster.StartPartitionNodeAsync("a", work, partitions: null, names: new PartitionNames { Now = [] });
        await cluster.PassUntilAsync(work, () => a.Partitions.Members.Count == 1, TimeSpan.FromMinutes(1), "it is a member");
        a.Store.ReleaseGate = new TaskCompletionSource().Task;
        await a.Host.StopAsync(new CancellationToken(canceled: true)).ContinueWith(static _ => { }, TaskScheduler.Default);
        Assert.Equal((0, 1), (a.Logged(StillRunsLine), a.Logged(StillRunsWithoutLockLine)));
        a.Store.ReleaseGate = Task.CompletedTask;
    }

    [Fact]
    [Promise("G4")]
    public async Task A_partition_whose_work_hangs_passes_to_another_node_until_it_has_returned()
    {
        await using var cluster = new Cluster();
        var work = new PartitionWorkOfAll();
        var (a, b) = await cluster.StartTwoPartitionNodesAsync(work);
        var letGo = new TaskCompletionSource();
        var partition = a.Partitions.Led[0].Partition;
        work.Now.Keys.Single(term => term.Partition == partition).StepDown();
        work.Do[partition] = (term, stoppingToken) => term.Owner.NodeId == a.NodeId ? letGo.Task : Task.Delay(Timeout.Infinite, stoppingToken);
        await cluster.PassUntilAsync(work, () => work.Terms.Count == 13 && work.RunningOn(a.NodeId) == 6, TimeSpan.FromMinutes(1), "it works in a way that hangs");
        cluster.Store.Delete($"{SharedService.LockName}/{partition}");
        await cluster.PassUntilAsync(work, () => Leads(b, partition), TimeSpan.FromMinutes(1), "the other leads it");
        await cluster.PassUntilAsync(work, () => a.Partitions.Led.Count + b.Partitions.Led.Count == 12, TimeSpan.FromMinutes(1), "all are led");
        Assert.Equal((b.NodeId, b.NodeId), (a.Partitions.FindNode(partition), b.Partitions.FindNode(partition)));

        // One more may have made room for it, and the others run on; and it is one node all the while.
        Assert.InRange(work.Terms.Count, 14, 15);
        await cluster.PassAsync(work, 5 * PartitionNode.BalanceInterval);
        Assert.Equal(2, b.Partitions.Members.Count);
        Assert.True(Leads(b, partition));

        letGo.SetResult();
        work.Do.Clear();
        await cluster.PassUntilAsync(work, () => Leads(a, partition), TimeSpan.FromMinutes(1), "it is its share again");
        await cluster.PassUntilAsync(work, () => a.Partitions.Led.Count == 6 && b.Partitions.Led.Count == 6, TimeSpan.FromMinutes(1), "each leads its share");
    }

    [Fact]
    [Promise("G4")]
    public async Task That_work_hung_slows_a_node_also_after_another_one_led_the_partition()
    {
        await using var cluster = new Cluster();
        var work = new PartitionWorkOfAll();
        var (hung, letGo, delay) = ((ExclusiveTerm?)null, new TaskCompletionSource(), TimeSpan.FromSeconds(20));
        for (var i = 0; i < 12; i++)
        {
            work.Do[$"{i}"] = async (term, stoppingToken) =>
            {
                await Task.Delay(Timeout.Infinite, stoppingToken).ContinueWith(static _ => { }, TaskScheduler.Default);
                await (term == hung ? letGo.Task : Task.CompletedTask);
            };
        }

        var (a, b) = await cluster.StartTwoPartitionNodesAsync(work, Configure);
        hung = work.Now.Keys.First(term => term.Owner.NodeId == a.NodeId);
        var (partition, others) = (hung.Partition!, work.Now.Keys.Where(term => term != hung).ToList());
        for (var i = 0; i < 24 && hung.LossReason is null; i++)
        {
            others.ForEach(static term => term.ReportProgress());
            await cluster.AdvanceAsync(TimeSpan.FromSeconds(5), [.. others]);
        }

        Assert.Equal(LeaseLossReason.NoProgress, hung.LossReason);
        await cluster.PassUntilAsync(work, () => Reported() && Leads(b, partition), TimeSpan.FromMinutes(1), "the other leads it");
        letGo.SetResult();
        await Cluster.UntilAsync(() => !work.Now.ContainsKey(hung), "it has returned");
        var at = cluster.Time.GetUtcNow();
        await cluster.PassUntilAsync(work, () => Reported() && Leads(a, partition), TimeSpan.FromMinutes(2), "it is its share again");
        Assert.True(cluster.Time.GetUtcNow() - at >= delay, $"It was away for {cluster.Time.GetUtcNow() - at}.");
        Assert.Equal((1, 0), (FailuresInARow(a), FailuresInARow(b)));

        void Configure(PartitionedServiceOptions options) => (options.ProgressTimeout, options.MinRestartDelay) = (TimeSpan.FromSeconds(30), delay);

        bool Reported()
        {
            foreach (var term in work.Now.Keys.Where(term => term != hung))
            {
                term.ReportProgress();
            }

            return true;
        }
    }

    [Fact]
    [Promise("G4")]
    public async Task A_partition_whose_work_hangs_stays_the_share_of_a_node_that_is_alone()
    {
        await using var cluster = new Cluster();
        var work = new PartitionWorkOfAll();
        var letGo = new TaskCompletionSource();
        work.Do["3"] = (_, _) => letGo.Task;
        var a = await cluster.StartPartitionNodeAsync("a", work);
        await cluster.SharedAsync(work, (a, 12));
        cluster.Store.Delete($"{SharedService.LockName}/3");
        await cluster.PassUntilAsync(work, () => a.Partitions.Led.Count == 11, Cluster.LeaseDuration, "its lease is lost");
        await cluster.PassAsync(work, Cluster.LeaseDuration);
        Assert.Equal((12, 12), (a.Partitions.Share, work.Terms.Count));
        work.Do.Clear();
        letGo.SetResult();
        await cluster.PassUntilAsync(work, () => a.Partitions.Led.Count == 12, TimeSpan.FromMinutes(1), "it is begun again");
    }

    [Theory]
    [Promise("G14")]
    [Failure("F60")]
    [InlineData("nowhere", null)]
    [InlineData("b", null)]
    [InlineData(null, 20)]
    public async Task A_partition_leaves_a_node_that_steps_down_also_where_nobody_waits_for_it(string? successor, int? stayAway)
    {
        await using var cluster = new Cluster();
        var work = new PartitionWorkOfAll();
        var (a, b) = await cluster.StartTwoPartitionNodesAsync(work);
        var led = a.Partitions.Led[0];
        var away = stayAway is { } seconds ? TimeSpan.FromSeconds(seconds) : AwayAfterStepDown;
        var at = cluster.Time.GetUtcNow();
        var stepping = a.Host.Services.GetRequiredService<ILockInspector>().StepDownAsync(led.LockName, successor, stayAway is null ? null : away, cancellationToken: Token);
        await cluster.PassUntilAsync(work, () => stepping.IsCompleted && Leads(b, led.Partition), TimeSpan.FromSeconds(30), "the other leads it");
        await cluster.PassUntilAsync(work, () => work.Running == 12, TimeSpan.FromSeconds(30), "all are led");
        Assert.Equal((StepDownResult.SteppedDown, b.NodeId), (await stepping, work.NodeOf(led.Partition)));

        // It is its share again after a while.
        await cluster.PassUntilAsync(work, () => Leads(a, led.Partition), 2 * away, "it has it again");
        Assert.InRange(cluster.Time.GetUtcNow() - at, away, away + TimeSpan.FromSeconds(15));
        await cluster.SharedAsync(work, (a, 6), (b, 6));

        // One more may have made room for it meanwhile.
        Assert.InRange(work.Terms.Count, 14, 16);
        Assert.Empty(work.Wrongs);
    }

    [Fact]
    [Promise("G4", "G14")]
    [Failure("F60")]
    public async Task A_partition_that_was_passed_to_a_node_that_goes_is_begun_again_at_once()
    {
        await using var cluster = new Cluster();
        var work = new PartitionWorkOfAll();
        var (a, b) = await cluster.StartTwoPartitionNodesAsync(work);
        var led = a.Partitions.Led[0];
        var stepping = a.Host.Services.GetRequiredService<ILockInspector>().StepDownAsync(led.LockName, "b", cancellationToken: Token);
        await cluster.PassUntilAsync(work, () => stepping.IsCompleted && Leads(b, led.Partition), TimeSpan.FromSeconds(30), "the other leads it");
        var at = cluster.Time.GetUtcNow();
        await b.StopAsync();
        await cluster.PassUntilAsync(work, () => a.Partitions.Led.Count == 12, AwayAfterStepDown / 2, "it leads all of them");
        Assert.InRange(cluster.Time.GetUtcNow() - at, TimeSpan.Zero, TimeSpan.FromSeconds(10));
        Assert.Empty(work.Wrongs);
    }

    [Fact]
    [Promise("G4", "G14")]
    public async Task What_one_node_was_asked_to_stay_away_from_the_other_begins_again_at_once()
    {
        await using var cluster = new Cluster();
        var work = new PartitionWorkOfAll();
        var (a, b) = await cluster.StartTwoPartitionNodesAsync(work);
        foreach (var led in a.Partitions.Led.ToArray())
        {
            var inspector = a.Host.Services.GetRequiredService<ILockInspector>();
            var away = inspector.StepDownAsync(led.LockName, stayAway: TimeSpan.FromMinutes(20), cancellationToken: Token);
            await cluster.PassUntilAsync(work, () => away.IsCompleted && Leads(b, led.Partition), TimeSpan.FromSeconds(30), "b leads it");

            // By whatever count of the others: a is to stay away, and b is not.
            var at = cluster.Time.GetUtcNow();
            var terms = work.Terms.Count;
            var back = inspector.StepDownAsync(led.LockName, a.NodeId, cancellationToken: Token);
            await cluster.PassUntilAsync(work, () => back.IsCompleted && work.Terms.Count > terms && Leads(b, led.Partition), AwayAfterStepDown, "b leads it again");
            Assert.InRange(cluster.Time.GetUtcNow() - at, TimeSpan.Zero, AwayAfterStepDown / 3);
        }

        Assert.Empty(work.Wrongs);
    }

    [Fact]
    [Promise("G14")]
    [Failure("F60")]
    public async Task A_node_that_is_alone_leads_on_what_was_to_pass_to_one_that_is_not_there()
    {
        await using var cluster = new Cluster();
        var work = new PartitionWorkOfAll();
        var a = await cluster.StartPartitionNodeAsync("a", work);
        await cluster.SharedAsync(work, (a, 12));
        work.Now.Keys.Single(static term => term.Partition == "3").StepDown(successor: "nowhere");
        await Cluster.UntilAsync(() => work.Terms.Count == 13, "it is begun again, while the clock stands");
    }

    private static int FailuresInARow(TestNode node) =>
        (int)new PartitionReport(node.Host.Services.GetServices<PartitionedService>().Single()).Describe()["failuresInARow"];

    private static bool Leads(TestNode node, string partition) => node.Partitions.Led.Any(led => led.Partition == partition);

    /// <summary>Has the store reply to a node neither to questions nor to releases, until what is returned completes.</summary>
    private static TaskCompletionSource Hang(TestNode node)
    {
        var well = new TaskCompletionSource();
        (node.Store.InspectGate, node.Store.ReleaseGate) = (well.Task, well.Task);
        return well;
    }

    private static async Task StopsAsync(Cluster cluster, PartitionWorkOfAll work, TestNode node)
    {
        var at = cluster.Time.GetUtcNow();
        var stopping = node.StopAsync();
        await cluster.PassUntilAsync(work, () => stopping.IsCompleted, TimeSpan.FromSeconds(20), "it has stopped");
        Assert.InRange(cluster.Time.GetUtcNow() - at, TimeSpan.Zero, TimeSpan.FromSeconds(2));
        Assert.Equal((0, 0), (node.Logged(StillRunsLine), node.Logged(StillRunsWithoutLockLine)));
    }
}
