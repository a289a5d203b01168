using Coordination.Quartz.Tests.Jobs;
using Coordination.Quartz.Tests.Schedulers;
using Coordination.TestKit.Servers;
using Coordination.TestKit.Waiting;
using Microsoft.Extensions.DependencyInjection;
using Quartz;

namespace Coordination.Quartz.Tests.Runs;

/// <summary>However a run ends, its lease is released.</summary>
public sealed class PairingTests(AnyServerFixture redis) : ClusterTest(redis)
{
    private const string LockName = "tests/QuartzScheduler/DEFAULT/staged";

    private static readonly JobKey Job = new("staged");

    [Fact]
    public async Task A_job_that_returns_releases_its_lease()
    {
        var verdict = await TriggerAsync(await StartAsync((_, _) => Task.CompletedTask));
        Assert.Equal(ExecutionOutcome.Succeeded, verdict.Outcome);
        Assert.NotNull(Ledger.Runs[0].Token);
        await AssertNothingHeldAsync(LockName);
    }

    [Fact]
    public async Task A_job_that_throws_releases_its_lease_and_fails_as_it_would_alone()
    {
        var verdict = await TriggerAsync(await StartAsync((_, _) => throw new InvalidOperationException("broken")));
        Assert.Equal(ExecutionOutcome.Failed, verdict.Outcome);
        Assert.Contains("broken", verdict.Failure!.ToString(), StringComparison.Ordinal);
        await AssertNothingHeldAsync(LockName);
    }

    [Fact]
    public async Task A_job_that_is_interrupted_releases_its_lease()
    {
        var node = await StartAsync((stage, cancellationToken) => stage.HoldAsync(cancellationToken));
        await node.Quartz.TriggerJob(Job, Cancellation);
        await Until(() => Ledger.Runs.Count == 1, "the job runs");
        Assert.True(await IsHeldAsync(LockName));
        Assert.True(await node.Quartz.Interrupt(Job, Cancellation));
        await Until(() => node.Verdicts.All.Count == 1, "the run is over");
        Assert.Equal(ExecutionOutcome.Cancelled, node.Verdicts.All[0].Outcome);
        await AssertNothingHeldAsync(LockName);
    }

    [Fact]
    [Failure("F33")]
    public async Task A_job_that_refires_gets_its_fire_again_each_time()
    {
        var node = await StartAsync(
            (stage, _) => stage.Calls < 3 ? throw new JobExecutionException("again") { RefireImmediately = true } : Task.CompletedTask,
            quartz => quartz.ScheduleJob<StagedJob>(Soon, job => job.WithIdentity(Job)));
        await Until(() => node.Verdicts.All.Count == 1, "the fire is over");
        Assert.Equal(ExecutionOutcome.Succeeded, node.Verdicts.All[0].Outcome);
        Assert.False(node.Verdicts.All[0].IsSkipped);
        Assert.Equal(3, Ledger.Runs.Count);
        Assert.Single(Ledger.Runs.Select(run => run.FireTime).Distinct());
        Ledger.AssertOneAtATime();
        await AssertNothingHeldAsync(LockName);
    }

    [Fact]
    [Failure("F33")]
    public async Task A_refire_waits_for_another_node_that_came_in_between()
    {
        var node = await StartAsync((stage, _) => stage.Calls == 1 ? throw new JobExecutionException("again") { RefireImmediately = true } : Task.CompletedTask, quartz => AddJob(quartz).AddTriggerListener(new TakingTheLockBeforeRefires(async () => await Database.StringSetAsync(LockKey(LockName), new LockText(1, await MicrosAsync(), 'H', '0', 60_000, "other/1#1").ToString()))));
        var inspector = node.Services.GetRequiredService<ILockInspector>();
        await node.Quartz.TriggerJob(Job, Cancellation);
        await Eventually.IsTrueAsync(async () => (await inspector.InspectAsync(LockName, cancellationToken: Cancellation)).Waiters.Count == 1, Bound, "the refire waits");
        await inspector.RevokeAsync(LockName, 1, Cancellation);
        await Until(() => node.Verdicts.All.Count == 1, "the fire is over");
        Assert.False(node.Verdicts.All[0].IsSkipped);
        Assert.Equal(2, Ledger.Runs.Count);
    }

    [Fact]
    [Failure("F33")]
    public async Task A_job_that_is_retried_by_policy_gets_its_fire_again()
    {
        var node = await StartAsync(
            (stage, _) => stage.Calls < 3 ? throw new InvalidOperationException("broken") : Task.CompletedTask,
            quartz => quartz.ScheduleJob<StagedJob>(
                trigger =>
                {
                    Soon(trigger);
                    trigger.WithRetryPolicy(RetryPolicy.Fixed(3, TimeSpan.FromMilliseconds(50)));
                },
                job => job.WithIdentity(Job)));
        await Until(() => node.Verdicts.All.Count == 3, "the fire and two retries are over");
        Assert.Equal([true, true, false], node.Verdicts.All.Select(verdict => verdict.IsRetried));
        Assert.DoesNotContain(node.Verdicts.All, verdict => verdict.IsSkipped);
        Assert.Equal(3, Ledger.Runs.Count);
        await AssertNothingHeldAsync(LockName);
    }

    [Fact]
    public async Task A_fire_that_another_listener_vetoes_leaves_no_lease()
    {
        var node = await StartAsync((_, _) => Task.CompletedTask, quartz => AddJob(quartz).AddTriggerListener(new VetoingListener()));
        await node.Quartz.TriggerJob(Job, Cancellation);
        await Until(() => node.Services.GetRequiredService<ObservedListeners>().Vetoed == 1, "the fire is vetoed");
        Assert.Empty(Ledger.Runs);
        await AssertNothingHeldAsync(LockName);
    }

    /// <summary>As middleware does that retries by itself. The first call has released the lease.</summary>
    [Fact]
    [Promise("G1")]
    public async Task A_middleware_that_calls_the_next_twice_runs_no_job_without_its_lease()
    {
        var node = await StartAsync((stage, _) => stage.Calls == 1 ? throw new InvalidOperationException("broken") : Task.CompletedTask, quartz => AddJob(quartz).AddJobMiddleware(new RetryingMiddleware()));
        var verdict = await TriggerAsync(node);
        Assert.Equal(ExecutionOutcome.Failed, verdict.Outcome);
        Assert.Contains("called the next one twice", verdict.Failure!.ToString(), StringComparison.Ordinal);
        Assert.Single(Ledger.Runs);
        await AssertNothingHeldAsync(LockName);
    }

    /// <summary>Its lock cannot be named, at a refire neither.</summary>
    [Fact]
    [Promise("G1")]
    public async Task A_job_that_cannot_be_exclusive_as_it_is_set_does_not_run_at_a_refire()
    {
        var node = await StartAsync(
            (_, _) => Task.CompletedTask,
            quartz => quartz.AddJob<StagedJob>(job => job.WithIdentity(Job).StoreDurably().DisallowConcurrentAcrossCluster(o => o.Name = "report:{tenant}")).AddJobMiddleware(new RefiringMiddleware()));
        var verdict = await TriggerAsync(node);
        Assert.Equal(ExecutionOutcome.Failed, verdict.Outcome);
        Assert.Empty(Ledger.Runs);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_lock_of_a_listener_leaks_when_another_listener_throws_and_ours_does_not(bool throwsBefore)
    {
        var taking = new LockTakingListener();
        var node = await StartAsync((_, _) => Task.CompletedTask, quartz => AddJob(quartz).AddJobListener(taking).AddJobListener(new ThrowingListener(throwsBefore)));
        await node.Quartz.TriggerJob(Job, Cancellation);
        await Until(() => node.Services.GetRequiredService<ObservedListeners>().Errors == 1, "the scheduler tells of the listener");

        // Where the other throws before the run, nobody tells the first that there was none; our lease is around the run itself.
        Assert.Equal(throwsBefore ? 1 : 0, taking.Held);
        Assert.Equal(throwsBefore ? 0 : 1, Ledger.Runs.Count);
        await AssertNothingHeldAsync(LockName);
    }

    [Fact]
    public async Task A_refire_unpairs_the_callbacks_of_a_listener_and_not_our_lease()
    {
        var taking = new LockTakingListener();
        var node = await StartAsync(
            (stage, _) => stage.Calls < 3 ? throw new JobExecutionException("again") { RefireImmediately = true } : Task.CompletedTask,
            quartz => AddJob(quartz).AddJobListener(taking));
        await TriggerAsync(node);
        Assert.Equal(3, Ledger.Runs.Count);
        Assert.Equal(2, taking.Held);
        await AssertNothingHeldAsync(LockName);
    }

    [Fact]
    public async Task A_job_that_cannot_be_constructed_acquires_no_lease_and_the_scheduler_goes_on()
    {
        var node = await StartAsync(
            (_, _) => Task.CompletedTask,
            quartz => AddJob(quartz).AddJob<UnbuildableJob>(job => job.WithIdentity("unbuildable").StoreDurably()));
        await node.Quartz.TriggerJob(new JobKey("unbuildable"), Cancellation);
        await Until(() => node.Services.GetRequiredService<ObservedListeners>().Errors > 0, "the scheduler tells of the job");
        Assert.False(await IsHeldAsync("tests/QuartzScheduler/DEFAULT/unbuildable"));
        Assert.Equal(ExecutionOutcome.Succeeded, (await TriggerAsync(node)).Outcome);
    }

    [Theory]
    [Promise("G10")]
    [InlineData(ShutdownJobInterruption.Never, true)]
    [InlineData(ShutdownJobInterruption.Never, false)]
    [InlineData(ShutdownJobInterruption.WhenNotWaitingForJobs, false)]
    [InlineData(ShutdownJobInterruption.WhenWaitingForJobs, true)]
    [InlineData(ShutdownJobInterruption.Always, true)]
    [InlineData(ShutdownJobInterruption.Always, false)]
    public async Task A_host_that_stops_ends_the_job_and_then_releases_its_lease(ShutdownJobInterruption interruption, bool waits)
    {
        var node = await StartAsync(
            (stage, cancellationToken) => stage.HoldAsync(cancellationToken),
            quartz => AddJob(quartz).ConfigureScheduler(o => o.ShutdownJobInterruption = interruption),
            waits);
        await node.Quartz.TriggerJob(Job, Cancellation);
        await Until(() => Ledger.Runs.Count == 1, "the job runs");
        var stopping = node.StopAsync();
        if (interruption == ShutdownJobInterruption.Never && waits)
        {
            // Quartz waits for it, and so do we: it is let go by the test.
            Assert.True(await IsHeldAsync(LockName));
            node.Services.GetRequiredService<Stage>().LetGo();
        }

        await stopping.WaitAsync(Bound, Cancellation);
        Assert.NotNull(Ledger.Runs[0].EndedAt);
        Assert.Equal(0, node.FiresUnderWay);
        Assert.False(await IsHeldAsync(LockName));
    }

    [Fact]
    public async Task A_job_that_ignores_everything_outlives_the_host_and_is_told_of()
    {
        var node = await StartAsync((stage, _) => stage.HoldOutAsync(), waits: false, services: services => services.Configure<Microsoft.Extensions.Hosting.HostOptions>(o => o.ShutdownTimeout = TimeSpan.FromMilliseconds(300)));
        await node.Quartz.TriggerJob(Job, Cancellation);
        await Until(() => Ledger.Runs.Count == 1, "the job runs");

        // The host says that its time is up; what it was told of the job before is what counts here.
        await Record.ExceptionAsync(() => node.StopAsync().WaitAsync(Bound, Cancellation));
        Assert.Contains(node.Log, record => record.Id.Id == 1312);
        Assert.Contains(node.Log, record => record.Id.Id == 1313);
        Assert.True(await IsHeldAsync(LockName));
    }

    private static void Soon(ITriggerConfigurator<StagedJob> trigger) => trigger.WithIdentity("once").StartAt(DateTimeOffset.UtcNow);

    private static IQuartzBuilder AddJob(IQuartzBuilder quartz) => quartz.AddJob<StagedJob>(job => job.WithIdentity(Job).StoreDurably());

    private async Task<TestScheduler> StartAsync(
        Func<Stage, CancellationToken, Task> act, Action<IQuartzBuilder>? schedule = null, bool waits = true, Action<IServiceCollection>? services = null)
    {
        var observed = new ObservedListeners();
        return await StartAsync(
            "ada",
            quartz =>
            {
                (schedule ?? (q => AddJob(q)))(quartz);
                quartz.AddSchedulerListener(observed).AddJobListener((IJobListener)observed);
            },
            waitsForJobs: waits,
            services: s =>
            {
                s.AddSingleton(observed);
                s.AddSingleton(_ =>
                {
                    var stage = new Stage();
                    stage.Act = (_, cancellationToken) => act(stage, cancellationToken);
                    return stage;
                });
                services?.Invoke(s);
            });
    }

    private static async Task<FireVerdict> TriggerAsync(TestScheduler node)
    {
        var before = node.Verdicts.All.Count;
        await node.Quartz.TriggerJob(Job, Cancellation);
        await Until(() => node.Verdicts.All.Count > before, "the run is over");
        return node.Verdicts.All[^1];
    }

    private sealed class RetryingMiddleware : IJobExecutionMiddleware
    {
        public async ValueTask Invoke(IJobExecutionContext context, JobExecutionDelegate next, CancellationToken cancellationToken = default)
        {
            try
            {
                await next(context, cancellationToken);
            }
            catch (InvalidOperationException)
            {
                await next(context, cancellationToken);
            }
        }
    }

    private sealed class RefiringMiddleware : IJobExecutionMiddleware
    {
        public async ValueTask Invoke(IJobExecutionContext context, JobExecutionDelegate next, CancellationToken cancellationToken = default)
        {
            try
            {
                await next(context, cancellationToken);
            }
            catch (Exception failure)
            {
                throw new JobExecutionException("again", failure) { RefireImmediately = context.RefireCount < 2 };
            }
        }
    }
}
