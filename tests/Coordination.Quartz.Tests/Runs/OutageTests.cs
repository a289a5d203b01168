using Coordination.Quartz.Tests.Jobs;
using Coordination.Quartz.Tests.Schedulers;
using Coordination.Stores.InMemory;
using Coordination.Testing;
using Coordination.TestKit.Servers;
using Coordination.TestKit.Waiting;
using Microsoft.Extensions.DependencyInjection;
using Quartz;

namespace Coordination.Quartz.Tests.Runs;

public sealed class OutageTests(AnyServerFixture redis) : ClusterTest(redis)
{
    private static readonly JobKey Job = new("staged");

    [Theory]
    [Promise("G12")]
    [Needs(Need.RedisServer)]
    [InlineData(JobOutageAction.Skip)]
    [InlineData(JobOutageAction.RunAnyway)]
    public async Task With_Redis_away_a_fire_is_skipped_or_run_with_no_lease_and_goes_on_after_it(JobOutageAction onStoreUnavailable)
    {
        await using var server = await RedisProcess.StartAsync();
        await using var node = await TestScheduler.StartAsync(server.ConnectionString, Prefix, Ledger, "ada", AddJob, o => o.ForJob<StagedJob>(job => job.OnStoreUnavailable = onStoreUnavailable));
        await TriggerAsync(node, 1);
        await server.KillAsync();
        await TriggerAsync(node, 2);
        await server.StartAgainAsync();
        await Until(() => node.Log.Any(record => record.Id.Id is 1305 or 1329), "the outage is told of");

        // The connection comes back in its own time; fires until then end as the one before.
        for (var fires = 3; Ledger.Runs.Count(run => run.Token is not null) < 2; fires++)
        {
            Assert.True(fires < 100, "Fires did not go on.");
            await TriggerAsync(node, fires);
        }

        Assert.All(node.Verdicts.All, verdict => Assert.Equal(verdict.IsSkipped ? ExecutionOutcome.Vetoed : ExecutionOutcome.Succeeded, verdict.Outcome));
        Assert.Equal(onStoreUnavailable == JobOutageAction.Skip, node.Verdicts.All[1].IsSkipped);
        Assert.Equal(onStoreUnavailable == JobOutageAction.RunAnyway, Ledger.Runs.Any(run => run.Token is null));
        Assert.Equal(SchedulerStatus.Running, node.Quartz.Status);
    }

    [Fact]
    [Promise("G12")]
    public async Task A_fire_that_waits_goes_on_when_the_store_is_back()
    {
        var store = new ControllableLockStore();
        await using var node = await TestScheduler.StartAsync(store, Ledger, "ada", AddJob, o => o.ForJob<StagedJob>(job => (job.OnConflict, job.MaxWait) = (JobConflictAction.Wait, Bound)));
        store.IsAway = true;
        await node.Quartz.TriggerJob(Job, Cancellation);
        await Until(() => store.GetCallCount(StoreOperation.Acquire) > 4, "the fire asks, and waits");
        Assert.Empty(Ledger.Runs);
        store.IsAway = false;
        await Until(() => node.Verdicts.All.Count == 1, "the fire is over");
        Assert.NotNull(Assert.Single(Ledger.Runs).Token);
    }

    [Fact]
    [Failure("F81")]
    [Promise("G12")]
    public async Task A_fire_that_runs_anyway_does_not_wait_for_a_store_that_is_away()
    {
        var store = new ControllableLockStore();
        await using var node = await TestScheduler.StartAsync(
            store, Ledger, "ada", AddJob, o => o.ForJob<StagedJob>(job => (job.OnConflict, job.MaxWait, job.OnStoreUnavailable) = (JobConflictAction.Wait, TimeSpan.FromHours(1), JobOutageAction.RunAnyway)));
        store.IsAway = true;
        await TriggerAsync(node, 1);
        Assert.Null(Assert.Single(Ledger.Runs).Token);
    }

    [Fact]
    [Failure("F81")]
    [Promise("G12")]
    public async Task A_fire_that_waits_for_its_turn_runs_anyway_when_the_store_goes_away_meanwhile()
    {
        var store = new ControllableLockStore();
        await using var node = await TestScheduler.StartAsync(
            store, Ledger, "ada", AddJob, o => o.ForJob<StagedJob>(job => (job.OnConflict, job.MaxWait, job.OnStoreUnavailable) = (JobConflictAction.Wait, TimeSpan.FromHours(1), JobOutageAction.RunAnyway)));
        store.GrantTo("tests/QuartzScheduler/DEFAULT/staged", "bob", TimeSpan.FromHours(1));
        await node.Quartz.TriggerJob(Job, Cancellation);
        await Eventually.IsTrueAsync(async () => (await store.InspectAsync("tests/QuartzScheduler/DEFAULT/staged", 10, Cancellation)).Waiters.Count == 1, Bound, "the fire waits");
        Assert.Empty(Ledger.Runs);
        store.IsAway = true;
        await Until(() => node.Verdicts.All.Count == 1, "the fire is over");
        Assert.Null(Assert.Single(Ledger.Runs).Token);
        store.IsAway = false;
    }

    /// <summary>The server may refuse the look, and an outage comes later.</summary>
    [Fact]
    [Failure("F81")]
    [Promise("G12")]
    public async Task A_fire_whose_look_at_the_store_is_refused_looks_again_and_runs_anyway()
    {
        var (inner, looks) = (new ControllableLockStore(), 0);
        var store = new SteeredStore(inner)
        {
            BeforeLook = () => Interlocked.Increment(ref looks) == 1 ? Task.FromException(new LockStoreException("NOPERM", isTransient: false)) : Task.CompletedTask,
        };
        await using var node = await TestScheduler.StartAsync(
            store, Ledger, "ada", AddJob, o => o.ForJob<StagedJob>(job => (job.OnConflict, job.MaxWait, job.OnStoreUnavailable) = (JobConflictAction.Wait, TimeSpan.FromHours(1), JobOutageAction.RunAnyway)));
        inner.GrantTo("tests/QuartzScheduler/DEFAULT/staged", "bob", TimeSpan.FromHours(1));
        await node.Quartz.TriggerJob(Job, Cancellation);
        await Until(() => Volatile.Read(ref looks) > 0, "the fire looks");
        inner.IsAway = true;
        await Until(() => node.Verdicts.All.Count == 1, "the fire is over");
        Assert.Null(Assert.Single(Ledger.Runs).Token);
        inner.IsAway = false;
    }

    /// <summary>The look asks what any node may ask that acquires locks.</summary>
    [Fact]
    [Failure("F81")]
    public async Task A_fire_that_waits_inspects_no_lock()
    {
        var store = new ControllableLockStore();
        await using var node = await TestScheduler.StartAsync(
            store, Ledger, "ada", AddJob, o => o.ForJob<StagedJob>(job => (job.OnConflict, job.MaxWait, job.OnStoreUnavailable) = (JobConflictAction.Wait, TimeSpan.FromHours(1), JobOutageAction.RunAnyway)));
        store.GrantTo("tests/QuartzScheduler/DEFAULT/staged", "bob", TimeSpan.FromHours(1));
        await node.Quartz.TriggerJob(Job, Cancellation);
        await Until(() => store.GetCallCount(StoreOperation.GetHolder) > 0, "the fire looks");
        Assert.Equal(0, store.GetCallCount(StoreOperation.Inspect));
    }

    [Fact]
    [Failure("F64", "F81")]
    public async Task A_run_with_no_lease_that_takes_too_long_is_interrupted_as_any_other()
    {
        var store = new ControllableLockStore();
        await using var node = await TestScheduler.StartAsync(
            store, Ledger, "ada", AddJob, o => o.ForJob<StagedJob>(job => (job.MaxRunTime, job.OnStoreUnavailable) = (TimeSpan.FromMilliseconds(300), JobOutageAction.RunAnyway)));
        var stage = node.Services.GetRequiredService<Stage>();
        stage.Act = (_, cancellationToken) => stage.HoldAsync(cancellationToken);
        store.IsAway = true;
        await TriggerAsync(node, 1);
        Assert.Null(Assert.Single(Ledger.Runs).Token);
        Assert.Equal(ExecutionOutcome.Failed, node.Verdicts.All[0].Outcome);
        Assert.Contains("MaxRunTime", node.Verdicts.All[0].Failure!.Message, StringComparison.Ordinal);
        store.IsAway = false;
    }

    [Theory]
    [Failure("F81", "F90")]
    [Promise("G10")]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_run_with_no_lease_is_interrupted_when_its_host_stops(bool returns)
    {
        var store = new ControllableLockStore();
        await using var node = await TestScheduler.StartAsync(
            store, Ledger, "ada", AddJob, o => o.ForJob<StagedJob>(job => job.OnStoreUnavailable = JobOutageAction.RunAnyway), waitsForJobs: false);
        var stage = node.Services.GetRequiredService<Stage>();
        stage.Act = async (_, cancellationToken) => await stage.HoldAsync(cancellationToken).ConfigureAwait(returns ? ConfigureAwaitOptions.SuppressThrowing : ConfigureAwaitOptions.None);
        store.IsAway = true;
        await node.Quartz.TriggerJob(Job, Cancellation);
        await Until(() => stage.Calls == 1, "the job runs");
        await node.StopAsync().WaitAsync(Bound, Cancellation);
        Assert.Contains(node.Log, record => record.Id.Id == 1312);
        Assert.DoesNotContain(node.Log, record => record.Id.Id == 1313);
        Assert.NotNull(Assert.Single(Ledger.Runs).EndedAt);
        await Until(() => node.Log.Any(record => record.Id.Id is 1305 or 1324), "it is told how it ended");
        Assert.DoesNotContain(node.Log, record => record.Id.Id == 1305);
    }

    /// <summary>It would have run anyway, and the scheduler shuts down before it has a place.</summary>
    [Fact]
    [Failure("F75", "F81")]
    [Promise("G10")]
    public async Task A_fire_that_would_run_anyway_does_not_begin_while_its_scheduler_shuts_down()
    {
        var (store, other) = (new ControllableLockStore(), new Gate());
        await using var node = await TestScheduler.StartAsync(
            store,
            Ledger,
            "ada",
            quartz =>
            {
                AddJob(quartz);
                quartz.UseDefaultThreadPool(1).AddJob<CallingJob>(job => job.WithIdentity("plain").StoreDurably());
                quartz.Services.AddSingleton(new Calls(_ => other.PassAsync()));
            },
            o => o.ForJob<StagedJob>(job => (job.OnConflict, job.MaxWait, job.OnStoreUnavailable) = (JobConflictAction.Wait, TimeSpan.FromHours(1), JobOutageAction.RunAnyway)));
        store.GrantTo("tests/QuartzScheduler/DEFAULT/staged", "bob", TimeSpan.FromHours(1));
        await node.Quartz.TriggerJob(Job, Cancellation);
        await Eventually.IsTrueAsync(async () => (await store.InspectAsync("tests/QuartzScheduler/DEFAULT/staged", 10, Cancellation)).Waiters.Count == 1, Bound, "the fire waits");
        await node.Quartz.TriggerJob(new JobKey("plain"), Cancellation);
        await other.Reached.WaitAsync(Bound, Cancellation);
        store.IsAway = true;
        await Until(() => node.Log.Any(record => record.Id.Id == 1333), "it has no place");
        var shutdown = node.Quartz.Shutdown(waitForJobsToComplete: true, Cancellation).AsTask();
        await Until(() => node.Verdicts.All.Count == 1, "the fire is over");
        other.Open();
        await shutdown.WaitAsync(Bound, Cancellation);
        Assert.Single(node.Verdicts.All, verdict => verdict.IsSkipped);
        Assert.Empty(Ledger.Runs);
        store.IsAway = false;
    }

    [Fact]
    [Failure("F81", "F85")]
    [Promise("G12")]
    public async Task With_one_shard_away_the_outage_is_told_once_whatever_the_others_reply()
    {
        var (store, second) = (new ShardedStore(new InMemoryLockStore()), new JobKey("staged2"));
        await using var node = await TestScheduler.StartAsync(
            store,
            Ledger,
            "ada",
            quartz =>
            {
                AddJob(quartz);
                quartz.AddJob<StagedJob>(job => job.WithIdentity(second).StoreDurably());
            },
            o => o.Defaults.OnStoreUnavailable = JobOutageAction.Skip);
        store.IsSecondAway = true;
        var fires = 0;
        for (var i = 0; i < 4; i++)
        {
            await FireAsync(second);
            await FireAsync(Job);
        }

        Assert.Equal(4, node.Verdicts.All.Count(verdict => verdict.IsSkipped));
        Assert.Single(node.Log, record => record.Id.Id == 1308);
        Assert.DoesNotContain(node.Log, record => record.Id.Id == 1350);
        store.IsSecondAway = false;
        while (!node.Verdicts.All[^1].Job.Equals(second) || node.Verdicts.All[^1].IsSkipped)
        {
            Assert.True(fires < 100, "Fires did not go on.");
            await FireAsync(second);
        }

        Assert.Single(node.Log, record => record.Id.Id == 1350);

        async Task FireAsync(JobKey job)
        {
            fires++;
            await node.Quartz.TriggerJob(job, Cancellation);
            await Until(() => node.Verdicts.All.Count == fires, "the fire is over");
        }
    }

    private static void AddJob(IQuartzBuilder quartz) => quartz.AddJob<StagedJob>(job => job.WithIdentity(Job).StoreDurably());

    private static async Task TriggerAsync(TestScheduler node, int fires)
    {
        await node.Quartz.TriggerJob(Job, Cancellation);
        await Until(() => node.Verdicts.All.Count == fires, "the fire is over");
    }
}
