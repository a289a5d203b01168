using Coordination.Quartz.Tests.Jobs;
using Coordination.Quartz.Tests.Schedulers;
using Coordination.Stores;
using Coordination.Stores.InMemory;
using Coordination.TestKit.Waiting;
using Microsoft.Extensions.DependencyInjection;
using Quartz;

namespace Coordination.Quartz.Tests.Fires;

/// <summary>Nodes that stand by for a fire have its lock for a moment each, when it is done.</summary>
public sealed class StandbyTests
{
    private const string LockName = "tests/QuartzScheduler/DEFAULT/staged";

    private static readonly JobKey Job = new("staged");

    private readonly InMemoryLockStore _store = new();
    private readonly Ledger _ledger = new();

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    [Failure("F33")]
    public async Task The_next_fire_is_not_lost_to_a_node_that_learns_that_the_last_one_was_done()
    {
        var slow = new SlowToConfirmStore(_store);
        await using var ada = await StartAsync("ada", _store);
        await using var bob = await StartAsync("bob", slow);
        var stage = ada.Services.GetRequiredService<Stage>();
        stage.Act = (_, cancellationToken) => stage.HoldAsync(cancellationToken);
        var time = DateTimeOffset.UtcNow;
        await FireAsync(ada, "first", time);
        await Until(() => Task.FromResult(stage.Calls == 1), "ada runs the fire");
        await FireAsync(bob, "first", time);
        await Until(async () => (await _store.InspectAsync(LockName, 10, Cancellation)).Waiters.Count == 1, "bob stands by");
        stage.LetGo();
        await slow.Reached.WaitAsync(TimeSpan.FromMinutes(1), Cancellation);

        // Nobody runs the job, and bob has the lock.
        await FireAsync(ada, "second", time.AddSeconds(1));
        await Until(async () => ada.Verdicts.All.Count == 2 || (await _store.InspectAsync(LockName, 10, Cancellation)).Waiters.Count == 1, "ada waits for it, or skips");
        slow.LetGo();
        await Until(() => Task.FromResult(ada.Verdicts.All.Count == 2 && bob.Verdicts.All.Count == 1), "the fires are over");

        Assert.True(bob.Verdicts.All[0].IsSkipped);
        Assert.False(ada.Verdicts.All[1].IsSkipped);
        Assert.Equal(2, _ledger.Runs.Count);
        _ledger.AssertOneAtATime();
        await Until(() => Task.FromResult(_store.Count == 0), "nothing is held");
    }

    [Fact]
    public async Task A_fire_that_finds_the_job_running_for_longer_skips_all_the_same()
    {
        await using var ada = await StartAsync("ada", _store);
        await using var bob = await StartAsync("bob", _store);
        var stage = ada.Services.GetRequiredService<Stage>();
        stage.Act = (_, cancellationToken) => stage.HoldAsync(cancellationToken);
        var time = DateTimeOffset.UtcNow;
        await FireAsync(ada, "first", time);
        await Until(() => Task.FromResult(stage.Calls == 1), "ada runs the fire");
        await FireAsync(bob, "second", time);
        await Until(() => Task.FromResult(bob.Verdicts.All.Count == 1), "bob's fire is over");

        Assert.True(bob.Verdicts.All[0].IsSkipped);
        Assert.Empty(ada.Verdicts.All);
        await Until(async () => (await _store.InspectAsync(LockName, 10, Cancellation)).Waiters.Count == 0, "the queue is empty");
    }

    /// <summary>One fire of a trigger waits on a node. The one that is stood by for is run elsewhere, and the last one of the series follows it.</summary>
    [Fact]
    [Failure("F75")]
    [Promise("G11")]
    public async Task A_fire_that_is_stood_by_for_gives_way_to_the_last_of_its_series()
    {
        var (ada, bob) = await StartStandbyAsync(onConflict: null);
        await using var first = ada;
        await using var second = bob;
        await Until(() => Task.FromResult(bob.Verdicts.All.Count == 1 && bob.FiresUnderWay == 1), "bob's first fire gave way to its last");
        Assert.Contains(bob.Log, record => record.Id.Id == 1307);
        Assert.Contains(bob.Log, record => record.Id.Id == 1321);
        Assert.True(bob.Verdicts.All[0].IsSkipped);
        Assert.Single(_ledger.Runs);

        // What it waits for is the lock, and its own time is run by it alone.
        ada.Services.GetRequiredService<Stage>().LetGo();
        await Until(() => Task.FromResult(bob.Verdicts.All.Count == 2), "bob's last fire is over");
        Assert.False(bob.Verdicts.All[1].IsSkipped);
        Assert.Equal(["ada", "bob"], _ledger.Runs.Select(run => run.Scheduler));
        Assert.True(_ledger.Runs[0].FireTime < _ledger.Runs[1].FireTime);
        _ledger.AssertOneAtATime();
    }

    /// <summary>The last one of the series is told to skip, and nobody would be left to recover the first.</summary>
    [Fact]
    [Failure("F33", "F75")]
    [Promise("G11")]
    public async Task A_fire_that_is_stood_by_for_does_not_give_way_to_one_that_is_skipped_in_the_end()
    {
        var (ada, bob) = await StartStandbyAsync(JobConflictAction.Skip);
        await using var first = ada;
        await using var second = bob;
        await Until(() => Task.FromResult(bob.Verdicts.All.Count == 1 && bob.FiresUnderWay == 1), "bob's last fire is skipped, and its first stands by");
        Assert.Contains(bob.Log, record => record.Id.Id == 1320);
        Assert.DoesNotContain(bob.Log, record => record.Id.Id == 1321);

        Assert.True(await _store.RevokeAsync(LockName, (await _store.GetHolderAsync(LockName, Cancellation))!.FencingToken, TimeSpan.FromSeconds(2), Cancellation));
        await Until(() => Task.FromResult(bob.Verdicts.All.Count == 2), "bob's first fire is over");
        Assert.False(bob.Verdicts.All[1].IsSkipped);
        await Until(() => Task.FromResult(bob.Log.Any(record => record.Id.Id == 1301)), "it is told that it was recovered");
        Assert.Equal(["ada", "bob"], _ledger.Runs.Select(run => run.Scheduler));
        Assert.Equal(_ledger.Runs[0].FireTime, _ledger.Runs[1].FireTime);
    }

    /// <summary>Starts two nodes, of which one runs the first fire of a series, and the other stands by for it and comes to the second, which is the last.</summary>
    private async Task<(TestScheduler Ada, TestScheduler Bob)> StartStandbyAsync(JobConflictAction? onConflict)
    {
        var (steered, question) = (new SteeredStore(_store), new Gate());
        steered.BeforeOccurrence = number => number == 1 ? question.PassAsync() : Task.CompletedTask;
        var (ada, bob) = (await StartAsync("ada", _store, onConflict), await StartAsync("bob", steered, onConflict));
        var stage = ada.Services.GetRequiredService<Stage>();
        stage.Act = (_, cancellationToken) => stage.HoldAsync(cancellationToken);
        // Later than even a busy machine has scheduled it all.
        var (begin, between) = (DateTimeOffset.UtcNow.AddSeconds(6), TimeSpan.FromSeconds(2));
        await ada.Quartz.ScheduleJob(Series(1), cancellationToken: Cancellation);
        await bob.Quartz.ScheduleJob(Series(2), cancellationToken: Cancellation);
        await Until(() => Task.FromResult(stage.Calls == 1), "the first fire runs");
        await question.Reached.WaitAsync(TimeSpan.FromMinutes(1), Cancellation);
        question.Open();
        return (ada, bob);

        ITrigger Series(int fires) => TriggerBuilder.Create().ForJob(Job).WithIdentity("series").StartAt(begin).EndAt(begin + ((fires - 0.5) * between))
            .WithSimpleSchedule(x => x.WithInterval(between).WithRepeatCount(1)).Build();
    }

    private static Task Until(Func<Task<bool>> condition, string what) => Eventually.IsTrueAsync(condition, TimeSpan.FromMinutes(1), what);

    private static async Task FireAsync(TestScheduler node, string trigger, DateTimeOffset time) =>
        await node.Quartz.ScheduleJob(TriggerBuilder.Create().ForJob(Job).WithIdentity(trigger).StartAt(time).Build(), cancellationToken: Cancellation);

    private Task<TestScheduler> StartAsync(string name, ILockStore store, JobConflictAction? onConflict = JobConflictAction.Skip) => TestScheduler.StartAsync(
        store,
        _ledger,
        name,
        quartz => quartz.AddJob<StagedJob>(job => job.WithIdentity(Job).StoreDurably()),
        options => options.ForJob(Job, job => (job.OnCrash, job.OnConflict, job.LeaseDuration) = (JobCrashAction.Recover, onConflict, TimeSpan.FromMinutes(2))));
}
