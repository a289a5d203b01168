using Coordination.Quartz.Tests.Jobs;
using Coordination.Quartz.Tests.Schedulers;
using Coordination.Stores;
using Coordination.Stores.InMemory;
using Microsoft.Extensions.DependencyInjection;
using Quartz;

namespace Coordination.Quartz.Tests.Runs;

/// <summary>What comes between the wait of a fire, the grant of its lock, and the begin of its job.</summary>
public sealed class AdmissionTests : NodesTest
{
    private const string LockName = "tests/QuartzScheduler/DEFAULT/staged";

    private readonly InMemoryLockStore _store = new();

    /// <summary>A run that may go on without the store looks now and then whether the store is away. Nobody looks at the grant meanwhile.</summary>
    [Fact]
    [Promise("G8", "G10")]
    [Failure("F81")]
    public async Task A_grant_that_comes_during_a_look_while_the_scheduler_shuts_down_is_undone()
    {
        var (steered, look) = (new SteeredStore(_store), new Gate());
        steered.BeforeLook = look.PassAsync;
        var node = await StartAsync(
            "ada",
            steered,
            options => options.ForJob<StagedJob>(job => (job.OnConflict, job.MaxWait, job.OnStoreUnavailable) = (JobConflictAction.Wait, TimeSpan.FromHours(1), JobOutageAction.RunAnyway)));
        _store.Assign(LockName, new LockOwner("bob", 1), TimeSpan.FromHours(1));
        await node.Quartz.TriggerJob(Job, Cancellation);
        await look.Reached.WaitAsync(Bound, Cancellation);
        await FreeAsync();
        await UntilAsync(() => node.Log.Any(record => record.Id.Id == 1000), "it is granted");

        await node.Quartz.Shutdown(waitForJobsToComplete: true, Cancellation).AsTask().WaitAsync(Bound, Cancellation);
        Assert.True(Assert.Single(node.Verdicts.All).IsSkipped);
        Assert.Empty(Ledger.Runs);
        await UntilAsync(() => _store.Count == 0, "the lock is free");
    }

    /// <summary>All places of the scheduler are taken when the turn of the fire comes.</summary>
    [Fact]
    [Promise("G8", "G10")]
    [Failure("F75")]
    public async Task A_fire_that_has_its_lock_and_no_place_when_the_scheduler_shuts_down_is_undone()
    {
        var other = new Gate();
        var node = await StartAsync("ada", _store, schedule: quartz =>
        {
            quartz.UseDefaultThreadPool(1).AddJob<CallingJob>(job => job.WithIdentity("plain").StoreDurably());
            quartz.Services.AddSingleton(new Calls(_ => other.PassAsync()));
        });
        _store.Assign(LockName, new LockOwner("bob", 1), TimeSpan.FromHours(1));
        await node.Quartz.TriggerJob(Job, Cancellation);
        await UntilAsync(IsWaitedForAsync, "the fire waits");
        await node.Quartz.TriggerJob(new JobKey("plain"), Cancellation);
        await other.Reached.WaitAsync(Bound, Cancellation);
        await FreeAsync();
        await UntilAsync(() => node.Log.Any(record => record.Id.Id == 1333), "it has its lock and no place");
        Assert.Equal(1, _store.Count);

        // The other job goes on, and the lock is for other nodes.
        var shutdown = node.Quartz.Shutdown(waitForJobsToComplete: true, Cancellation).AsTask();
        await UntilAsync(() => _store.Count == 0, "the lock is free");
        Assert.False(shutdown.IsCompleted);
        other.Open();
        await shutdown.WaitAsync(Bound, Cancellation);
        Assert.Single(node.Verdicts.All, verdict => verdict.IsSkipped);
        Assert.Empty(Ledger.Runs);
    }

    [Fact]
    [Promise("G2")]
    [Failure("F10")]
    public async Task A_job_whose_lease_was_lost_before_it_began_does_not_begin()
    {
        var gate = new Gate();
        var node = await StartAsync("ada", _store, schedule: quartz => quartz.AddJobListener(new GatedListener(gate)));
        await node.Quartz.TriggerJob(Job, Cancellation);
        await gate.Reached.WaitAsync(Bound, Cancellation);
        Assert.True(_store.Delete(LockName));
        await UntilAsync(() => node.Log.Any(record => record.Id.Id == 1004), "the lease is lost");
        gate.Open();
        await UntilAsync(() => node.Verdicts.All.Count == 1, "the fire is over");

        Assert.Empty(Ledger.Runs);
        Assert.Equal(ExecutionOutcome.Failed, node.Verdicts.All[0].Outcome);
        Assert.Contains("Lease lost", node.Verdicts.All[0].Failure!.Message, StringComparison.Ordinal);
    }

    [Fact]
    [Promise("G10")]
    public async Task A_job_that_the_end_of_its_host_meets_before_it_begins_is_told_when_it_begins()
    {
        var gate = new Gate();
        var node = await StartAsync("ada", _store, schedule: quartz => quartz.AddJobListener(new GatedListener(gate)), waitsForJobs: false);
        var stage = node.Services.GetRequiredService<Stage>();
        stage.Act = (_, cancellationToken) => stage.HoldAsync(cancellationToken);
        await node.Quartz.TriggerJob(Job, Cancellation);
        await gate.Reached.WaitAsync(Bound, Cancellation);
        var stopping = node.StopAsync();
        await UntilAsync(() => node.Log.Any(record => record.Id.Id == 1312), "it is told to stop");
        gate.Open();
        await stopping.WaitAsync(Bound, Cancellation);

        Assert.DoesNotContain(node.Log, record => record.Id.Id == 1313);
        Assert.NotNull(Assert.Single(Ledger.Runs).EndedAt);
        Assert.Equal(0, _store.Count);
    }

    /// <summary>By a user, with the scheduler's own call.</summary>
    [Fact]
    [Promise("G8")]
    public async Task A_fire_that_is_interrupted_before_its_job_begins_leaves_no_lease()
    {
        var gate = new Gate();
        var node = await StartAsync("ada", _store, schedule: quartz => quartz.AddJobListener(new GatedListener(gate)));
        var stage = node.Services.GetRequiredService<Stage>();
        stage.Act = (_, cancellationToken) => stage.HoldAsync(cancellationToken);
        await node.Quartz.TriggerJob(Job, Cancellation);
        await gate.Reached.WaitAsync(Bound, Cancellation);
        Assert.True(await node.Quartz.Interrupt(Job, Cancellation));
        gate.Open();
        await UntilAsync(() => node.Verdicts.All.Count == 1 && _store.Count == 0, "the fire is over, and nothing is left");
        Assert.Equal(ExecutionOutcome.Cancelled, node.Verdicts.All[0].Outcome);
    }

    /// <summary>To Quartz such a fire is not under way yet. Its wait ends with its scheduler, at the latest.</summary>
    [Fact]
    public async Task Quartz_interrupts_no_fire_that_waits()
    {
        var node = await StartAsync("ada", _store);
        _store.Assign(LockName, new LockOwner("bob", 1), TimeSpan.FromHours(1));
        await node.Quartz.TriggerJob(Job, Cancellation);
        await UntilAsync(IsWaitedForAsync, "the fire waits");
        Assert.False(await node.Quartz.Interrupt(Job, Cancellation));
        Assert.Equal(1, node.FiresUnderWay);
    }

    /// <summary>The fire is nobody else's, so a grant that comes to nothing is not the end of its wait.</summary>
    [Fact]
    [Promise("G11")]
    [Failure("F75")]
    public async Task A_fire_whose_lock_is_lost_between_its_grant_and_the_question_waits_on()
    {
        var (steered, question) = (new SteeredStore(_store), new Gate());

        // The first request for a fire is the one that finds the lock held.
        steered.BeforeOccurrence = number => number == 2 ? question.PassAsync() : Task.CompletedTask;
        var node = await StartAsync("ada", steered);
        _store.Assign(LockName, new LockOwner("bob", 1), TimeSpan.FromHours(1));
        await FireOnceAsync(node);
        await UntilAsync(IsWaitedForAsync, "the fire waits");
        await FreeAsync();
        await question.Reached.WaitAsync(Bound, Cancellation);
        _store.Assign(LockName, new LockOwner("bob", 2), TimeSpan.FromHours(1));
        question.Open();
        await UntilAsync(IsWaitedForAsync, "the fire waits again");
        await FreeAsync();
        await UntilAsync(() => node.Verdicts.All.Count == 1, "the fire is over");
        Assert.NotNull(Assert.Single(Ledger.Runs).Token);
    }

    [Fact]
    [Promise("G11", "G12")]
    [Failure("F75")]
    public async Task A_fire_for_which_the_store_goes_away_between_its_grant_and_the_question_waits_on()
    {
        var (steered, isAway) = (new SteeredStore(_store), true);
        steered.BeforeOccurrence = number => number > 1 && Volatile.Read(ref isAway) ? throw new LockStoreException("It is away.", isTransient: true) : Task.CompletedTask;
        var node = await StartAsync("ada", steered);
        _store.Assign(LockName, new LockOwner("bob", 1), TimeSpan.FromHours(1));
        await FireOnceAsync(node);
        await UntilAsync(IsWaitedForAsync, "the fire waits");
        await FreeAsync();
        await UntilAsync(() => node.Log.Any(record => record.Id.Id == 1308) || node.Verdicts.All.Count == 1, "the question was not replied to");
        Assert.Empty(node.Verdicts.All);
        Volatile.Write(ref isAway, false);
        await UntilAsync(() => node.Verdicts.All.Count == 1, "the fire is over");
        Assert.NotNull(Assert.Single(Ledger.Runs).Token);
    }

    [Fact]
    [Promise("G11")]
    [Failure("F33")]
    public async Task A_retry_of_a_fire_that_failed_before_its_job_began_is_of_the_same_time()
    {
        var (ada, bob) = (await StartAsync("ada", _store, schedule: quartz => quartz.AddJobMiddleware(new FailingOnce())), await StartAsync("bob", _store));
        var time = DateTimeOffset.UtcNow;
        await FireOnceAsync(ada, time, RetryPolicy.Fixed(1, TimeSpan.FromMilliseconds(50)));
        await UntilAsync(() => ada.Verdicts.All.Count == 2, "the fire and its retry are over");
        Assert.Equal((true, ExecutionOutcome.Succeeded), (ada.Verdicts.All[0].IsRetried, ada.Verdicts.All[1].Outcome));
        await FireOnceAsync(bob, time);
        await UntilAsync(() => bob.Verdicts.All.Count == 1, "bob's fire is over");

        Assert.True(bob.Verdicts.All[0].IsSkipped);
        Assert.Single(Ledger.Runs);
    }

    private static async Task FireOnceAsync(TestScheduler node, DateTimeOffset? time = null, RetryPolicy? retry = null)
    {
        var trigger = TriggerBuilder.Create().ForJob(Job).WithIdentity("once").StartAt(time ?? DateTimeOffset.UtcNow);
        await node.Quartz.ScheduleJob((retry is null ? trigger : trigger.WithRetryPolicy(retry)).Build(), cancellationToken: Cancellation);
    }

    private async Task<bool> IsWaitedForAsync() => (await _store.InspectAsync(LockName, 10, Cancellation)).Waiters.Count == 1;

    /// <summary>As an operator does, so that the first waiter is told.</summary>
    private async Task FreeAsync()
    {
        var holder = await _store.GetHolderAsync(LockName, Cancellation);
        Assert.True(await _store.RevokeAsync(LockName, holder!.FencingToken, TimeSpan.FromSeconds(2), Cancellation));
    }

    private Task<TestScheduler> StartAsync(
        string name, ILockStore store, Action<QuartzExclusivityOptions>? exclusivity = null, Action<IQuartzBuilder>? schedule = null, bool waitsForJobs = true) =>
        StartAsync(store, name, schedule, exclusivity, waitsForJobs);

    private sealed class FailingOnce : IJobExecutionMiddleware
    {
        private int _calls;

        public ValueTask Invoke(IJobExecutionContext context, JobExecutionDelegate next, CancellationToken cancellationToken = default) =>
            Interlocked.Increment(ref _calls) == 1 ? throw new InvalidOperationException("A middleware that is broken.") : next(context, cancellationToken);
    }
}
