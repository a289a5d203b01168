using Coordination.Quartz.Tests.Jobs;
using Coordination.Quartz.Tests.Schedulers;
using Coordination.Stores.InMemory;
using Microsoft.Extensions.DependencyInjection;
using Quartz;
using Quartz.Listeners;

namespace Coordination.Quartz.Tests.Runs;

/// <summary>A skipped fire looks to nobody like one that ran.</summary>
[Failure("F77")]
[Promise("G11")]
public sealed class SkipTests : NodesTest
{
    private static readonly JobKey Next = new("next");

    private readonly InMemoryLockStore _store = new();

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Of_threeNodes_the_one_that_ran_a_job_runs_the_next_of_its_chain(bool isAddedLate)
    {
        foreach (var name in (string[])["ada", "bob", "cy"])
        {
            var chain = new JobChainingJobListener("chain");
            chain.AddJobChainLink(Job, Next);
            var node = await StartAsync(name, quartz =>
            {
                quartz.AddJob<PlainJob>(job => job.WithIdentity(Next).StoreDurably());
                if (!isAddedLate)
                {
                    quartz.AddJobListener(chain);
                }
            });
            if (isAddedLate)
            {
                node.Quartz.ListenerManager.AddJobListener(chain);
            }
        }

        await ScheduleOnAllAsync(fires: 4);
        await UntilAsync(() => Nodes.TrueForAll(IsOver), "each node came to the end of the series");
        await UntilAsync(() => Runs(Next) >= Runs(Job), "the chain has gone on");
        await Task.WhenAll(Nodes.Select(node => node.StopAsync()));

        var first = Ledger.Runs.Where(run => run.Job.Equals(Job)).OrderBy(run => run.BeganAt).ToList();
        var next = Ledger.Runs.Where(run => run.Job.Equals(Next)).OrderBy(run => run.BeganAt).ToList();
        Assert.NotEmpty(first);
        Assert.Equal(first.Count, next.Count);
        Assert.All(first.Zip(next), pair => Assert.True(pair.First.EndedAt <= pair.Second.BeganAt, "The next job began before the first had ended."));
    }

    /// <summary>Quartz's own chain takes two callbacks of a listener by now, and is sealed: none that comes later is to end at the guard.</summary>
    [Fact]
    public async Task The_guard_of_a_chain_passes_on_every_callback_that_there_is()
    {
        var node = await StartAsync("ada", quartz => quartz.AddJobListener(new JobChainingJobListener("chain")));
        _store.Assign("tests/QuartzScheduler/DEFAULT/staged", new LockOwner("bob", 1), TimeSpan.FromHours(1));
        await node.Quartz.ScheduleJob(
            TriggerBuilder.Create().ForJob(Job).WithIdentity("hourly").UsingJobData(ExclusiveJobData.OnConflict, nameof(JobConflictAction.Skip)).WithSimpleSchedule(TimeSpan.FromHours(1)).Build(), cancellationToken: Cancellation);
        await UntilAsync(() => node.Verdicts.All.Count == 1 && node.FiresUnderWay == 0, "the fire is skipped");

        var guard = node.Quartz.ListenerManager.GetJobListener("chain")!.GetType();
        Assert.NotEqual(typeof(JobChainingJobListener), guard);
        Assert.All(guard.GetInterfaceMap(typeof(IJobListener)).TargetMethods, callback => Assert.Equal(guard, callback.DeclaringType));
    }

    [Fact]
    public async Task A_listener_hears_of_a_veto_and_not_of_a_run()
    {
        var (heard, node) = (new HeardFires(), await StartAsync("ada"));
        node.Quartz.ListenerManager.AddJobListener(heard);
        node.Quartz.ListenerManager.AddTriggerListener(heard);

        // The first fires find the lock held, and the last one waits until it is not.
        const string LockName = "tests/QuartzScheduler/DEFAULT/staged";
        _store.Assign(LockName, new LockOwner("bob", 1), TimeSpan.FromHours(1));
        await ScheduleOnAllAsync(fires: 4);
        await UntilAsync(() => heard.Vetoed > 0, "a fire was skipped");
        await _store.RevokeAsync(LockName, (await _store.GetHolderAsync(LockName, Cancellation))!.FencingToken, TimeSpan.FromSeconds(2), Cancellation);
        await UntilAsync(() => IsOver(node) && heard.Vetoed + heard.Completed == node.Verdicts.All.Count, "the series is over");

        Assert.NotEqual(0, heard.Vetoed);
        Assert.NotEmpty(Ledger.Runs);
        Assert.Equal((Ledger.Runs.Count, Ledger.Runs.Count, Ledger.Runs.Count), (heard.Begun, heard.Executed, heard.Completed));
        Assert.Equal((node.Verdicts.All.Count(verdict => verdict.IsSkipped), heard.Vetoed), (heard.Vetoed, heard.Skipped));
    }

    [Fact]
    public async Task A_skipped_fire_is_no_failure_that_a_retry_policy_applies_to()
    {
        var node = await StartAsync("ada");
        _store.Assign("tests/QuartzScheduler/DEFAULT/staged", new LockOwner("bob", 1), TimeSpan.FromHours(1));
        await node.Quartz.ScheduleJob(
            TriggerBuilder.Create().ForJob(Job).WithIdentity("two").WithRetryPolicy(RetryPolicy.Fixed(3, TimeSpan.FromMilliseconds(1)))
                .WithSimpleSchedule(x => x.WithInterval(TimeSpan.FromSeconds(1)).WithRepeatCount(1)).Build(), cancellationToken: Cancellation);

        // The first is skipped, and what comes next is the second, which waits as the last of its series.
        await UntilAsync(() => node.FiresUnderWay == 1 && node.Verdicts.All.Count == 1, "the first is skipped, and the second waits");
        Assert.Equal((true, false, ExecutionOutcome.Vetoed), (node.Verdicts.All[0].IsSkipped, node.Verdicts.All[0].IsRetried, node.Verdicts.All[0].Outcome));
    }

    [Fact]
    public async Task A_fire_that_a_listener_of_the_users_vetoes_was_not_skipped_and_follows_the_chain()
    {
        var heard = new HeardFires();
        var node = await StartAsync("ada", quartz => quartz
            .AddJob<PlainJob>(job => job.WithIdentity(Next).StoreDurably())
            .AddTriggerListener(new VetoOfSeries())
            .AddJobListener(heard));
        var chain = new JobChainingJobListener("chain");
        chain.AddJobChainLink(Job, Next);
        node.Quartz.ListenerManager.AddJobListener(chain);
        await ScheduleOnAllAsync(fires: 1);
        await UntilAsync(() => Ledger.Runs.Any(run => run.Job.Equals(Next)), "the next job runs, as it does after a veto");
        Assert.Equal((1, 0), (heard.Vetoed, heard.Skipped));
    }

    [Theory]
    [InlineData(ContinuationCondition.OnAnyOutcome, 1)]
    [InlineData(ContinuationCondition.OnSuccess, 0)]
    public async Task A_trigger_that_starts_also_after_skipped_fires_is_warned_of_at_the_start(ContinuationCondition when, int warnings)
    {
        var node = await StartAsync("ada", quartz => quartz
            .AddJob<PlainJob>(job => job.WithIdentity(Next).StoreDurably())
            .AddTrigger(trigger => trigger.ForJob(Job).WithIdentity("first").StartAt(DateTimeOffset.UtcNow.AddHours(1)))
            .AddTrigger(trigger => trigger.ForJob(Next).WithIdentity("after").StartAfter(new TriggerKey("first"), when)));
        Assert.Equal(warnings, node.Log.Count(record => record.Id.Id == 1354));
    }

    [Theory]
    [InlineData("veto")]
    [InlineData("trigger listener")]
    [InlineData("job listener")]
    [InlineData("middleware")]
    public async Task A_fire_that_is_kept_from_its_job_after_the_grant_leaves_its_time_for_others(string what)
    {
        var node = await StartAsync("ada", quartz =>
        {
            if (what == "middleware")
            {
                quartz.AddJobMiddleware(new RefusingMiddleware());
            }
        });
        switch (what)
        {
            case "veto":
                node.Quartz.ListenerManager.AddTriggerListener(new VetoingListener());
                break;
            case "trigger listener":
                node.Quartz.ListenerManager.AddTriggerListener(new ThrowingTriggerListener());
                break;
            case "job listener":
                node.Quartz.ListenerManager.AddJobListener(new ThrowingListener(before: true));
                break;
        }

        var time = DateTimeOffset.UtcNow;
        await FireAsync(node, time);
        await UntilAsync(() => IsOver(node), "the fire is over");
        Assert.Empty(Ledger.Runs);
        Assert.Equal(0, _store.Count);

        var other = await StartAsync("bob");
        await FireAsync(other, time);
        await UntilAsync(() => other.Verdicts.All.Count == 1, "the other's fire is over");
        Assert.Equal("bob", Assert.Single(Ledger.Runs).Scheduler);
    }

    private static async Task FireAsync(TestScheduler node, DateTimeOffset time) =>
        await node.Quartz.ScheduleJob(TriggerBuilder.Create().ForJob(Job).WithIdentity("once").StartAt(time).Build(), cancellationToken: Cancellation);

    private static bool IsOver(TestScheduler node) => node.Services.GetRequiredService<FiresOver>().Count == 1 && node.FiresUnderWay == 0;

    private int Runs(JobKey job) => Ledger.Runs.Count(run => run.Job.Equals(job));

    private async Task ScheduleOnAllAsync(int fires)
    {
        var begin = DateTimeOffset.UtcNow.AddMilliseconds(200);
        foreach (var node in Nodes)
        {
            // The work itself takes a while, for the others to come while it goes on.
            node.Services.GetRequiredService<Stage>().Act = (_, cancellationToken) => Task.Delay(50, cancellationToken);
            await node.Quartz.ScheduleJob(
                TriggerBuilder.Create().ForJob(Job).WithIdentity("series").StartAt(begin).WithSimpleSchedule(x => x.WithInterval(TimeSpan.FromMilliseconds(300)).WithRepeatCount(fires - 1)).Build(), cancellationToken: Cancellation);
        }
    }

    private async Task<TestScheduler> StartAsync(string name, Action<IQuartzBuilder>? schedule = null)
    {
        var over = new FiresOver();
        var node = await TestScheduler.StartAsync(
            _store,
            Ledger,
            name,
            quartz =>
            {
                quartz.AddJob<StagedJob>(job => job.WithIdentity(Job).StoreDurably()).AddSchedulerListener(over);
                schedule?.Invoke(quartz);
            },
            services: services => services.AddSingleton(over));
        Nodes.Add(node);
        return node;
    }

    private sealed class HeardFires : IJobListener, ITriggerListener
    {
        private int _begun;
        private int _executed;
        private int _completed;
        private int _vetoed;
        private int _skipped;

        public string Name => "heard";

        public int Begun => Volatile.Read(ref _begun);

        public int Executed => Volatile.Read(ref _executed);

        public int Completed => Volatile.Read(ref _completed);

        public int Vetoed => Volatile.Read(ref _vetoed);

        public int Skipped => Volatile.Read(ref _skipped);

        public ValueTask JobToBeExecuted(IJobExecutionContext context, CancellationToken cancellationToken = default) => Count(ref _begun);

        public ValueTask JobWasExecuted(IJobExecutionContext context, JobExecutionException? jobException, CancellationToken cancellationToken = default) => Count(ref _executed);

        public ValueTask TriggerComplete(ITrigger trigger, IJobExecutionContext context, SchedulerInstruction triggerInstructionCode, CancellationToken cancellationToken = default) => Count(ref _completed);

        public ValueTask JobExecutionVetoed(IJobExecutionContext context, CancellationToken cancellationToken = default)
        {
            if (context.WasSkipped())
            {
                Interlocked.Increment(ref _skipped);
            }

            return Count(ref _vetoed);
        }

        private static ValueTask Count(ref int count)
        {
            Interlocked.Increment(ref count);
            return ValueTask.CompletedTask;
        }
    }

    /// <summary>Counts triggers that are done, however their fire ended.</summary>
    private sealed class FiresOver : ISchedulerListener
    {
        private int _count;

        public int Count => Volatile.Read(ref _count);

        public ValueTask TriggerFinalized(IScheduler scheduler, ITrigger trigger, CancellationToken cancellationToken = default)
        {
            // And not those by which a chain runs its next job.
            if (trigger.JobKey.Equals(Job))
            {
                Interlocked.Increment(ref _count);
            }

            return ValueTask.CompletedTask;
        }
    }

    private sealed class ThrowingTriggerListener : ITriggerListener
    {
        public ValueTask TriggerFired(ITrigger trigger, IJobExecutionContext context, CancellationToken cancellationToken = default) =>
            throw new InvalidOperationException("A listener that is broken.");
    }

    private sealed class VetoOfSeries : ITriggerListener
    {
        public ValueTask<bool> VetoJobExecution(ITrigger trigger, IJobExecutionContext context, CancellationToken cancellationToken = default) =>
            ValueTask.FromResult(trigger.Key.Name == "series");
    }

    private sealed class RefusingMiddleware : IJobExecutionMiddleware
    {
        public ValueTask Invoke(IJobExecutionContext context, JobExecutionDelegate next, CancellationToken cancellationToken = default) => ValueTask.CompletedTask;
    }
}
