using Coordination.Quartz.Tests.Schedulers;

namespace Coordination.Quartz.Tests.Fires;

/// <summary>A fire that is under way on another node while there are permits beside, and what becomes of it when that node ends its run, stops or dies.</summary>
[Promise("G11")]
public sealed class LimitedRecoveryTests : LimitTest
{
    private readonly DateTimeOffset _now = DateTimeOffset.UtcNow;

    [Theory]
    [Failure("F33")]
    [InlineData("ends")]
    [InlineData("stops")]
    [InlineData("dies")]
    public async Task A_fire_under_way_beside_free_permits_is_run_again_only_where_it_was_cut_short(string ending)
    {
        var cut = new CutOffStore(Store);
        var (ada, bob) = (await StartAsync("ada", Recover, cut), await StartAsync("bob", Recover));
        await FireAsync(ada, "once", _now);
        await UntilAsync(() => Ledger.Runs.Count == 1, "ada runs it");
        await FireAsync(bob, "once", _now);
        await UntilToldAsync(bob, 1307);
        Assert.Single((await InspectAsync()).Holders);
        Assert.Empty((await InspectAsync()).Waiters);

        switch (ending)
        {
            case "ends":
                StageOf(ada).LetGo();
                break;
            case "stops":
                await ada.StopAsync().WaitAsync(Bound, Cancellation);
                Assert.Equal(1, Told(ada, 1336));
                break;
            default:
                cut.CutOff();
                break;
        }

        if (ending == "ends")
        {
            await UntilAsync(() => bob.Verdicts.All.Count == 1, "bob's fire is over");
            Assert.True(bob.Verdicts.All[0].IsSkipped);
            Assert.Single(Ledger.Runs);
            return;
        }

        await UntilAsync(() => Ledger.Runs.Count == 2, "bob runs it");
        Assert.Equal(1, Ledger.MostAtATime());
        Assert.Equal(_now, Ledger.Runs[1].FireTime);
        StageOf(bob).LetGo();
        await UntilAsync(() => bob.Verdicts.All.Count == 1, "bob's run is over");
        await UntilToldAsync(bob, 1301);
    }

    /// <summary>Both stand in the queue when two permits become free in one moment: each has one, and one of them is told that the other runs the fire.</summary>
    [Theory]
    [InlineData(JobCrashAction.Recover)]
    [InlineData(JobCrashAction.Skip)]
    public async Task Two_nodes_that_wait_for_one_fire_and_get_a_permit_each_run_it_once(JobCrashAction onCrash)
    {
        var permits = new[] { await TakeAsync(LockShare.PermitOf(2), Cancellation), await TakeAsync(LockShare.PermitOf(2), Cancellation) };
        var nodes = new[] { await StartAsync("ada", job => job.OnCrash = onCrash), await StartAsync("bob", job => job.OnCrash = onCrash) };
        foreach (var node in nodes)
        {
            await FireAsync(node, "once", _now);
        }

        await UntilWaitersAsync(2);
        await Task.WhenAll(permits.Select(permit => permit.ReleaseAsync(Cancellation)));
        await UntilAsync(() => Ledger.Runs.Count == 1, "one of them runs it");
        var other = nodes.Single(node => node.Quartz.SchedulerInstanceId != Ledger.Runs[0].Scheduler);
        if (onCrash == JobCrashAction.Recover)
        {
            await UntilToldAsync(other, 1307);
            await UntilAsync(async () => await InspectAsync() is { Holders.Count: 1, Waiters.Count: 0 }, "its permit is for others");
            Assert.Empty(other.Verdicts.All);
        }

        StageOf(nodes.Single(node => node != other)).LetGo();
        await UntilAsync(() => nodes.All(node => node.Verdicts.All.Count == 1), "both fires are over");
        Assert.True(other.Verdicts.All[0].IsSkipped);
        Assert.Single(Ledger.Runs);
    }

    /// <summary>A fire that may be recovered and finds no permit has to stand in the queue: by asking now and then its turn might never come.</summary>
    [Fact]
    [Failure("F33")]
    public async Task A_fire_whose_run_died_while_others_have_all_permits_waits_in_the_queue()
    {
        var cut = new CutOffStore(Store);
        var (ada, bob) = (await StartAsync("ada", Recover, cut), await StartAsync("bob", Recover));
        await FireAsync(ada, "once", _now);
        await UntilAsync(() => Ledger.Runs.Count == 1, "ada runs it");
        var first = await TakeAsync(LockShare.PermitOf(2), Cancellation);
        var second = TakeAsync(LockShare.PermitOf(2), Cancellation);
        await UntilWaitersAsync(1);
        await FireAsync(bob, "once", _now);
        await UntilToldAsync(bob, 1307);
        cut.CutOff();
        await second.WaitAsync(Bound, Cancellation);
        await UntilWaitersAsync(1);
        Assert.Empty(bob.Verdicts.All);
        await first.ReleaseAsync(Cancellation);
        await UntilAsync(() => Ledger.Runs.Count == 2, "bob runs it");
        StageOf(bob).LetGo();
        await UntilToldAsync(bob, 1301);
    }

    /// <summary>Two fires of a node, each of a trigger of its own.</summary>
    [Theory]
    [Failure("F33", "F66")]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Two_runs_of_a_node_that_stops_or_dies_are_recovered_by_the_others(bool dies)
    {
        var cut = new CutOffStore(Store);
        var ada = await StartAsync("ada", Recover, cut);
        var others = new[] { await StartAsync("bob", Recover), await StartAsync("cy", Recover) };
        foreach (var node in Nodes)
        {
            await FireAsync(node, "first", _now);
            await FireAsync(node, "second", _now);
            await UntilAsync(() => Ledger.Runs.Count == 2, "ada runs both");
        }

        foreach (var node in others)
        {
            await UntilToldAsync(node, 1307, times: 2);
        }

        if (dies)
        {
            cut.CutOff();
        }
        else
        {
            await ada.StopAsync().WaitAsync(Bound, Cancellation);
        }

        await UntilAsync(() => Ledger.Runs.Count == 4, "both are run again");
        Array.ForEach(others, node => StageOf(node).LetGo());
        await UntilAsync(() => others.All(node => node.Verdicts.All.Count == 2), "all are over");
        Assert.Equal(4, Ledger.Runs.Count);
        Assert.Equal(2, others.SelectMany(node => node.Verdicts.All).Count(verdict => verdict.IsSkipped));
        Assert.All(Ledger.Runs.Take(2), run => Assert.Equal("ada", run.Scheduler));
        Assert.All(Ledger.Runs.Skip(2), run => Assert.NotEqual("ada", run.Scheduler));
        Ledger.AssertUpTo(2);
    }

    [Fact]
    [Promise("G10")]
    [Failure("F75")]
    public async Task A_node_that_stands_by_beside_free_permits_and_stops_names_the_one_that_runs_it()
    {
        var (ada, bob) = (await StartAsync("ada", Recover), await StartAsync("bob", Recover));
        await FireAsync(ada, "once", _now);
        await UntilAsync(() => Ledger.Runs.Count == 1, "ada runs it");
        await FireAsync(bob, "once", _now);
        await UntilToldAsync(bob, 1307);
        await bob.StopAsync().WaitAsync(Bound, Cancellation);
        Assert.True(Assert.Single(bob.Verdicts.All).IsSkipped);
        Assert.Contains("ada-", Assert.Single(bob.Log, record => record.Id.Id == 1315).Message, StringComparison.Ordinal);
        Assert.Single((await InspectAsync()).Holders);
    }

    /// <summary>As one does that stands in the queue.</summary>
    [Fact]
    [Promise("G12")]
    public async Task A_fire_that_stands_by_beside_free_permits_waits_out_a_store_that_is_away()
    {
        var (cut, isAway, asked) = (new CutOffStore(Store), false, 0);
        var steered = new SteeredStore(Store)
        {
            BeforeOccurrence = _ =>
            {
                Interlocked.Increment(ref asked);
                return Volatile.Read(ref isAway) ? throw new LockStoreException("It is away.", isTransient: true) : Task.CompletedTask;
            },
        };
        var (ada, bob) = (await StartAsync("ada", Recover, cut), await StartAsync("bob", job => (job.OnCrash, job.OnStoreUnavailable) = (JobCrashAction.Recover, JobOutageAction.Skip), steered));
        await FireAsync(ada, "once", _now);
        await UntilAsync(() => Ledger.Runs.Count == 1, "ada runs it");
        await FireAsync(bob, "once", _now);
        await UntilToldAsync(bob, 1307);
        Volatile.Write(ref isAway, true);
        var before = Volatile.Read(ref asked);
        await UntilAsync(() => Volatile.Read(ref asked) > before, "it has asked while the store is away");
        cut.CutOff();
        Volatile.Write(ref isAway, false);
        await UntilAsync(() => Ledger.Runs.Count == 2, "bob runs it");
        Assert.Equal(1, Ledger.MostAtATime());
    }
}
