using Coordination.Quartz.Tests.Jobs;
using Coordination.Quartz.Tests.Schedulers;
using Coordination.Testing;
using Microsoft.Extensions.DependencyInjection;
using Quartz;
using Quartz.Extensibility;
using Quartz.Impl;

namespace Coordination.Quartz.Tests.Runs;

/// <summary>Nothing is dropped that nobody else will run, and nothing that waits stops the rest.</summary>
[Failure("F75")]
[Promise("G11")]
public sealed class DroppedWorkTests : NodesTest
{
    private const string LockName = "tests/QuartzScheduler/DEFAULT/staged";

    private readonly ControllableLockStore _store = new();

    [Fact]
    public async Task Five_triggers_that_fire_once_all_run()
    {
        var node = await StartAsync();
        // The work itself takes a while, for others to come while it goes on.
        node.Services.GetRequiredService<Stage>().Act = (_, cancellationToken) => Task.Delay(20, cancellationToken);
        await ScheduleOnceAsync(node, 5);
        await UntilAsync(() => node.Verdicts.All.Count == 5, "five fires are over");

        Assert.Equal(5, Ledger.Runs.Count);
        Ledger.AssertOneAtATime();
    }

    [Fact]
    public async Task Fires_that_were_asked_for_by_hand_all_run_also_while_another_node_has_the_job()
    {
        var (holder, node) = (await StartAsync("holder"), await StartAsync());
        var stage = holder.Services.GetRequiredService<Stage>();
        stage.Act = (_, cancellationToken) => stage.HoldAsync(cancellationToken);
        await holder.Quartz.TriggerJob(Job, Cancellation);
        await UntilAsync(() => Ledger.Runs.Count == 1, "the holder runs the job");
        for (var i = 0; i < 3; i++)
        {
            await node.Quartz.TriggerJob(Job, Cancellation);
        }

        await UntilAsync(() => node.FiresUnderWay == 3, "all wait");
        stage.LetGo();
        await UntilAsync(() => node.Verdicts.All.Count == 3, "all are over");
        Assert.Equal(4, Ledger.Runs.Count);
        Ledger.AssertOneAtATime();
    }

    [Fact]
    public async Task The_last_fire_of_a_series_waits_where_those_before_it_are_skipped()
    {
        var node = await StartAsync();
        _store.GrantTo(LockName, "bob", TimeSpan.FromHours(1));
        await ScheduleAsync(node, fires: 3);
        await UntilAsync(() => node.Verdicts.All.Count == 2 && node.FiresUnderWay == 1, "two are skipped, and the last one waits");
        await AssertOnlyTheLastRunsAsync(node, fires: 3);
    }

    [Fact]
    public async Task A_fire_that_waits_gives_way_to_the_last_one_of_its_series()
    {
        var node = await StartAsync(exclusivity: options => (options.Defaults.OnConflict, options.Defaults.MaxWait) = (JobConflictAction.Wait, TimeSpan.FromHours(1)));
        _store.GrantTo(LockName, "bob", TimeSpan.FromHours(1));
        await ScheduleAsync(node, fires: 2);
        await UntilAsync(() => node.Verdicts.All.Count == 1 && node.FiresUnderWay == 1, "the first gave way, and the last one waits");
        Assert.Contains(node.Log, record => record.Id.Id == 1321);
        await AssertOnlyTheLastRunsAsync(node, fires: 2);
    }

    [Fact]
    public async Task Of_one_trigger_one_fire_waits_and_stands_for_the_others()
    {
        var node = await StartAsync(exclusivity: options => options.Defaults.OnConflict = JobConflictAction.Wait);
        _store.GrantTo(LockName, "bob");
        await node.Quartz.ScheduleJob(
            TriggerBuilder.Create().ForJob(Job).WithIdentity("often").WithSimpleSchedule(TimeSpan.FromMilliseconds(50)).Build(), cancellationToken: Cancellation);
        await UntilAsync(() => node.Verdicts.All.Count >= 3, "three are over");

        Assert.All(node.Verdicts.All, verdict => Assert.True(verdict.IsSkipped));
        Assert.True(node.FiresUnderWay <= 2, "One waits, and one may be about to be skipped.");
        Assert.Contains(node.Log, record => record.Id.Id == 1321);
        var inspector = node.Services.GetRequiredService<ILockInspector>();
        Assert.Single((await inspector.InspectAsync(LockName, cancellationToken: Cancellation)).Waiters);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Twenty_runs_that_wait_do_not_stop_a_job_that_is_not_exclusive(bool namesPool)
    {
        var plain = new Ledger();
        var node = await StartAsync(schedule: quartz =>
        {
            if (namesPool)
            {
                quartz.UseDefaultThreadPool(3);
            }

            quartz.AddJob<CallingJob>(job => job.WithIdentity("plain").StoreDurably());
            quartz.Services.AddSingleton(new Calls(context =>
            {
                plain.Begin(context).End();
                return Task.CompletedTask;
            }));
        });
        _store.GrantTo(LockName, "bob", TimeSpan.FromHours(1));
        await ScheduleOnceAsync(node, 20);
        await UntilAsync(() => node.FiresUnderWay == 20, "all twenty wait");
        await node.Quartz.TriggerJob(new JobKey("plain"), Cancellation);
        await UntilAsync(() => plain.Runs.Count == 1, "the other job runs");

        Assert.Empty(Ledger.Runs);
        await FreeAsync(LockName);
        await UntilAsync(() => Ledger.Runs.Count(run => run.EndedAt is not null) == 20, "all twenty ran");
        Ledger.AssertOneAtATime();
    }

    [Fact]
    public async Task Runs_that_come_back_from_waiting_take_no_more_places_than_there_are()
    {
        var (running, most) = (0, 0);
        var node = await StartAsync(
            schedule: quartz => quartz.UseDefaultThreadPool(2),
            exclusivity: options => options.Defaults.Name = "{lock}");
        node.Services.GetRequiredService<Stage>().Act = async (_, cancellationToken) =>
        {
            most = Math.Max(most, Interlocked.Increment(ref running));
            // The work itself takes a while, for others to come while it goes on.
            await Task.Delay(20, cancellationToken);
            Interlocked.Decrement(ref running);
        };
        foreach (var name in (string[])["a", "b", "c", "d", "e"])
        {
            _store.GrantTo(name, "bob", TimeSpan.FromHours(1));
            await node.Quartz.ScheduleJob(TriggerBuilder.Create().ForJob(Job).WithIdentity(name).UsingJobData("lock", name).StartNow().Build(), cancellationToken: Cancellation);
        }

        await UntilAsync(() => node.FiresUnderWay == 5, "all wait");
        foreach (var name in (string[])["a", "b", "c", "d", "e"])
        {
            await FreeAsync(name);
        }

        await UntilAsync(() => node.Verdicts.All.Count == 5, "all ran");
        Assert.Equal(5, Ledger.Runs.Count);
        Assert.True(most <= 2, $"{most} ran at once.");
    }

    [Fact]
    public async Task With_a_store_thatNodes_share_every_fire_waits()
    {
        var node = await StartAsync(schedule: quartz => quartz.UseJobStore(SharedJobStore.Create));
        _store.GrantTo(LockName, "bob", TimeSpan.FromHours(1));
        await node.Quartz.ScheduleJob(
            TriggerBuilder.Create().ForJob(Job).WithIdentity("hourly").WithSimpleSchedule(TimeSpan.FromHours(1)).Build(), cancellationToken: Cancellation);
        await UntilAsync(async () => (await _store.InspectAsync(LockName, 10, Cancellation)).Waiters.Count == 1, "the fire waits");
        Assert.Empty(node.Verdicts.All);
        await FreeAsync(LockName);
        await UntilAsync(() => node.Verdicts.All.Count == 1, "the fire is over");
        Assert.NotNull(Assert.Single(Ledger.Runs).Token);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_fire_that_waits_when_its_scheduler_stops_is_left_in_a_store_that_outlives_it(bool byHand)
    {
        var folder = Directory.CreateTempSubdirectory("coordination-quartz-");
        var database = Path.Combine(folder.FullName, "jobs.db");
        var first = await StartAsync(schedule: quartz => PersistentWorker.UseFile(quartz, database));
        _store.GrantTo(PersistentWorker.LockName, "bob", TimeSpan.FromHours(1));
        if (byHand)
        {
            await first.Quartz.TriggerJob(Job, new JobDataMap { ["tenant"] = "north" }, Cancellation);
        }
        else
        {
            await ScheduleOnceAsync(first, 1);
        }

        await UntilAsync(() => first.FiresUnderWay == 1, "the fire waits");
        await first.StopAsync();
        Assert.Empty(Ledger.Runs);
        Assert.Contains(first.Log, record => record.Id.Id == 1327);

        await FreeAsync(PersistentWorker.LockName);
        var next = await StartAsync("next", quartz => PersistentWorker.UseFile(quartz, database));
        await UntilAsync(() => next.Verdicts.All.Count == 1, "the fire is over");
        Assert.Equal("persistent", Assert.Single(Ledger.Runs).Scheduler);
        Assert.False(next.Verdicts.All[0].IsSkipped);
        await next.StopAsync();
        folder.Delete(recursive: true);
    }

    [Fact]
    public async Task A_job_store_that_takes_no_fire_back_is_told_of_and_stops_no_shutdown()
    {
        var node = await StartAsync(schedule: quartz => quartz.UseJobStore(services => new StoreThatTakesNothingBack(SharedJobStore.Create(services))));
        _store.GrantTo(LockName, "bob", TimeSpan.FromHours(1));
        await ScheduleOnceAsync(node, 1);
        await UntilAsync(() => node.FiresUnderWay == 1, "the fire waits");
        await node.StopAsync().WaitAsync(Bound, Cancellation);

        Assert.True(Assert.Single(node.Verdicts.All).IsSkipped);
        Assert.IsType<JobPersistenceException>(Assert.Single(node.Log, record => record.Id.Id == 1328).Exception);
        Assert.Single(node.Log, record => record.Id.Id == 1322);
        Assert.DoesNotContain(node.Log, record => record.Id.Id == 1327);
    }

    /// <summary>Each fire comes to one node only, so nobody would come for it.</summary>
    [Theory]
    [Failure("F82")]
    [InlineData(true, 1324)]
    [InlineData(false, 1326)]
    public async Task A_fire_that_a_stop_cancels_is_left_to_other_nodes_only_where_they_come_to_it(bool isShared, int told)
    {
        var node = await StartAsync(
            schedule: quartz =>
            {
                quartz.ConfigureScheduler(o => o.ShutdownJobInterruption = ShutdownJobInterruption.Always);
                if (isShared)
                {
                    quartz.UseJobStore(SharedJobStore.Create);
                }
            },
            exclusivity: options => options.Defaults.OnCrash = JobCrashAction.Recover);
        var stage = node.Services.GetRequiredService<Stage>();
        stage.Act = (_, cancellationToken) => stage.HoldAsync(cancellationToken);
        await ScheduleOnceAsync(node, 1);
        await UntilAsync(() => Ledger.Runs.Count == 1, "the job runs");
        await node.StopAsync().WaitAsync(Bound, Cancellation);

        Assert.Equal(told, Assert.Single(node.Log, record => record.Id.Id is 1324 or 1325 or 1326).Id.Id);
        Assert.Equal(0, _store.Count);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_pool_of_the_users_in_which_fires_that_wait_take_places_is_warned_of(bool isOfUser)
    {
        var node = await StartAsync(schedule: quartz =>
        {
            if (isOfUser)
            {
                quartz.UseThreadPool<PoolOfTheUsers>();
            }
        });
        var warned = node.Log.Where(record => record.Id.Id == 1353).ToList();
        Assert.Equal(isOfUser ? 1 : 0, warned.Count);
        Assert.All(warned, record => Assert.Contains(nameof(PoolOfTheUsers), record.Message, StringComparison.Ordinal));
    }

    private static async Task ScheduleOnceAsync(TestScheduler node, int triggers)
    {
        for (var i = 0; i < triggers; i++)
        {
            await node.Quartz.ScheduleJob(TriggerBuilder.Create().ForJob(Job).WithIdentity($"once-{i}").StartNow().Build(), cancellationToken: Cancellation);
        }
    }

    private static async Task ScheduleAsync(TestScheduler node, int fires) => await node.Quartz.ScheduleJob(
        TriggerBuilder.Create().ForJob(Job).WithIdentity("series").WithSimpleSchedule(x => x.WithInterval(TimeSpan.FromMilliseconds(100)).WithRepeatCount(fires - 1)).Build(), cancellationToken: Cancellation);

    private async Task AssertOnlyTheLastRunsAsync(TestScheduler node, int fires)
    {
        await FreeAsync(LockName);
        await UntilAsync(() => node.Verdicts.All.Count == fires, "the last one is over");
        Assert.Equal(fires - 1, node.Verdicts.All.Count(verdict => verdict.IsSkipped));
        Assert.False(node.Verdicts.All[^1].IsSkipped);
        Assert.Equal(node.Verdicts.All.Max(verdict => verdict.FireTime), Assert.Single(Ledger.Runs).FireTime);
    }

    /// <summary>As an operator does, so that the first waiter is told.</summary>
    private async Task FreeAsync(string lockName)
    {
        var holder = await _store.GetHolderAsync(lockName, Cancellation);
        Assert.True(await _store.RevokeAsync(lockName, holder!.FencingToken, TimeSpan.FromSeconds(2), Cancellation));
    }

    private Task<TestScheduler> StartAsync(string name = "ada", Action<IQuartzBuilder>? schedule = null, Action<QuartzExclusivityOptions>? exclusivity = null) =>
        StartAsync(_store, name, schedule, exclusivity);

    private sealed class PoolOfTheUsers : TaskSchedulingThreadPool
    {
        public PoolOfTheUsers() => MaxConcurrency = 5;

        protected override TaskScheduler GetDefaultScheduler() => TaskScheduler.Default;
    }

    /// <summary>As with a database that went away.</summary>
    private sealed class StoreThatTakesNothingBack(IJobStore store) : DelegatingJobStore(store)
    {
        public override ValueTask<bool> ReplaceTrigger(TriggerKey triggerKey, IOperableTrigger newTrigger, CancellationToken cancellationToken = default) =>
            throw new JobPersistenceException("The database is away.");
    }
}
