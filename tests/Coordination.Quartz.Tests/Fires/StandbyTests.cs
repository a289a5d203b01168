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
        await slow.Reached.WaitAsync(TimeSpan.FromSeconds(20), Cancellation);

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

    private static Task Until(Func<Task<bool>> condition, string what) => Eventually.IsTrueAsync(condition, TimeSpan.FromSeconds(20), what);

    private static async Task FireAsync(TestScheduler node, string trigger, DateTimeOffset time) =>
        await node.Quartz.ScheduleJob(TriggerBuilder.Create().ForJob(Job).WithIdentity(trigger).StartAt(time).Build(), cancellationToken: Cancellation);

    private Task<TestScheduler> StartAsync(string name, ILockStore store) => TestScheduler.StartAsync(
        store,
        _ledger,
        name,
        quartz => quartz.AddJob<StagedJob>(job => job.WithIdentity(Job).StoreDurably()),
        options => options.ForJob(Job, job => (job.OnCrash, job.OnConflict) = (JobCrashAction.Recover, JobConflictAction.Skip)));
}
