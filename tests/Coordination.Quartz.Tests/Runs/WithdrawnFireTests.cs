using Coordination.Quartz.Tests.Jobs;
using Coordination.Quartz.Tests.Schedulers;
using Coordination.Testing;
using Microsoft.Extensions.Logging;
using Quartz;

namespace Coordination.Quartz.Tests.Runs;

/// <summary>A fire that waits is treated as Quartz treats one that it has acquired and not begun: deleted and paused ones do not run, and standby is for those to come.</summary>
[Failure("F75")]
[Promise("G11")]
public sealed class WithdrawnFireTests : NodesTest
{
    private const string LockName = "tests/QuartzScheduler/DEFAULT/staged";

    private static readonly TriggerKey Once = new("once");

    private readonly ControllableLockStore _store = new();

    [Theory]
    [InlineData(false, false)]
    [InlineData(false, true)]
    [InlineData(true, false)]
    [InlineData(true, true)]
    public async Task A_fire_that_waits_does_not_run_after_its_job_or_trigger_was_deleted(bool byHand, bool onlyTrigger)
    {
        var node = await StartAsync();
        await WaitForLockAsync(node, byHand);
        Assert.False(await node.Quartz.Interrupt(Job, Cancellation), "Quartz counts no job as executing that has not begun.");
        var trigger = Assert.Single(await node.Quartz.GetTriggersOfJob(Job, Cancellation));
        Assert.True(onlyTrigger ? await node.Quartz.UnscheduleJob(trigger.Key, Cancellation) : await node.Quartz.DeleteJob(Job, Cancellation));
        await FreeAsync();
        await UntilAsync(() => node.Verdicts.All.Count == 1, "the fire is over");

        Assert.Empty(Ledger.Runs);
        Assert.True(node.Verdicts.All[0].IsSkipped);
        Assert.Contains("deleted", Assert.IsType<JobRunReport>(node.Verdicts.All[0].Result).Summary, StringComparison.Ordinal);
        await UntilAsync(() => node.Log.Any(record => record.Id.Id == 1318), "it is told");
        Assert.Equal(LogLevel.Information, Assert.Single(node.Log, record => record.Id.Id == 1318).Level);
        await UntilAsync(() => _store.Count == 0, "nothing is held");
    }

    /// <summary>The first gave way to the second, and the store let the trigger go when it ended.</summary>
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task The_last_fire_of_a_series_that_is_over_runs_unless_its_job_was_deleted(bool isDeleted)
    {
        var node = await StartAsync();
        _store.GrantTo(LockName, "other", TimeSpan.FromHours(1));
        await node.Quartz.ScheduleJob(
            TriggerBuilder.Create().ForJob(Job).WithIdentity(Once).WithSimpleSchedule(x => x.WithInterval(TimeSpan.FromMilliseconds(100)).WithRepeatCount(1)).Build(), cancellationToken: Cancellation);
        await UntilAsync(() => node.Verdicts.All.Count == 1 && node.FiresUnderWay == 1, "the first has given way");
        await UntilAsync(async () => await node.Quartz.GetTriggerState(Once, Cancellation) == TriggerState.None, "the trigger is gone");
        if (isDeleted)
        {
            Assert.True(await node.Quartz.DeleteJob(Job, Cancellation));
        }

        await FreeAsync();
        await UntilAsync(() => node.Verdicts.All.Count == 2, "the last is over");
        Assert.Equal(isDeleted ? 0 : 1, Ledger.Runs.Count);
    }

    /// <summary>The store of locks goes away while it waits.</summary>
    [Fact]
    public async Task A_fire_of_a_deleted_job_does_not_run_anyway_in_an_outage()
    {
        var node = await StartAsync(exclusivity: options => options.Defaults.OnStoreUnavailable = JobOutageAction.RunAnyway);
        await WaitForLockAsync(node);
        Assert.True(await node.Quartz.DeleteJob(Job, Cancellation));
        _store.IsAway = true;
        await UntilAsync(() => node.Verdicts.All.Count == 1, "the fire is over");
        _store.IsAway = false;
        Assert.Empty(Ledger.Runs);
        Assert.True(node.Verdicts.All[0].IsSkipped);
    }

    /// <summary>The fire time is free for a node that still has the job.</summary>
    [Fact]
    public async Task A_fire_that_is_withdrawn_on_one_node_runs_on_another_that_has_its_job()
    {
        var (ada, bob) = (await StartAsync(), await StartAsync("bob"));
        _store.GrantTo(LockName, "other", TimeSpan.FromHours(1));
        var now = DateTimeOffset.UtcNow;
        await ScheduleAsync(ada, now);
        await UntilAsync(() => WaitersAsync(1), "ada waits");
        await ScheduleAsync(bob, now);
        await UntilAsync(() => WaitersAsync(2), "bob waits");
        Assert.True(await ada.Quartz.DeleteJob(Job, Cancellation));
        await FreeAsync();
        await UntilAsync(() => bob.Verdicts.All.Count == 1 && ada.Verdicts.All.Count == 1, "the fires are over");
        Assert.Equal("bob", Assert.Single(Ledger.Runs).Scheduler);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_fire_whose_trigger_is_paused_while_it_waits_runs_when_it_is_resumed(bool byJob)
    {
        var node = await StartAsync();
        await WaitForLockAsync(node);
        Assert.True(byJob ? await node.Quartz.PauseJob(Job, Cancellation) : await node.Quartz.PauseTrigger(Once, Cancellation));
        await FreeAsync();
        await UntilAsync(() => node.Log.Any(record => record.Id.Id == 1335), "its turn has come, and it is held back");
        await UntilAsync(() => _store.Count == 0, "others may have the lock");
        Assert.Empty(Ledger.Runs);
        Assert.Empty(node.Verdicts.All);

        Assert.True(byJob ? await node.Quartz.ResumeJob(Job, Cancellation) : await node.Quartz.ResumeTrigger(Once, Cancellation));
        await UntilAsync(() => node.Verdicts.All.Count == 1, "the fire is over");
        Assert.False(node.Verdicts.All[0].IsSkipped);
        Assert.NotNull(Assert.Single(Ledger.Runs).Token);
    }

    [Fact]
    public async Task A_fire_that_is_held_back_by_a_pause_holds_up_no_stop_and_no_other_job()
    {
        var node = await StartAsync(schedule: quartz =>
        {
            quartz.UseDefaultThreadPool(1);
            quartz.AddJob<StagedJob>(job => job.WithIdentity("other").StoreDurably());
        });
        await WaitForLockAsync(node);
        await node.Quartz.PauseTrigger(Once, Cancellation);
        await FreeAsync();
        await UntilAsync(() => node.Log.Any(record => record.Id.Id == 1335), "it is held back");
        await node.Quartz.TriggerJob(new JobKey("other"), Cancellation);
        await UntilAsync(() => node.Verdicts.All.Count == 1, "the other job ran");
        await node.StopAsync().WaitAsync(Bound, Cancellation);

        Assert.Equal(new JobKey("other"), Assert.Single(Ledger.Runs).Job);
        Assert.Single(node.Log, record => record.Id.Id == 1322);
    }

    /// <summary>As Quartz has it for a fire that it has acquired.</summary>
    [Fact]
    public async Task A_scheduler_in_standby_runs_a_fire_that_waited_before()
    {
        var node = await StartAsync();
        await WaitForLockAsync(node);
        await node.Quartz.Standby(Cancellation);
        await FreeAsync();
        await UntilAsync(() => node.Verdicts.All.Count == 1, "the fire is over");
        Assert.Single(Ledger.Runs);
    }

    private async Task WaitForLockAsync(TestScheduler node, bool byHand = false)
    {
        _store.GrantTo(LockName, "other", TimeSpan.FromHours(1));
        await (byHand ? node.Quartz.TriggerJob(Job, Cancellation).AsTask() : ScheduleAsync(node, DateTimeOffset.UtcNow));
        await UntilAsync(() => WaitersAsync(1), "the fire waits");
    }

    private static async Task ScheduleAsync(TestScheduler node, DateTimeOffset time) =>
        await node.Quartz.ScheduleJob(TriggerBuilder.Create().ForJob(Job).WithIdentity(Once).StartAt(time).Build(), cancellationToken: Cancellation);

    private async Task<bool> WaitersAsync(int count) => (await _store.InspectAsync(LockName, 10, Cancellation)).Waiters.Count == count;

    private async Task FreeAsync() =>
        Assert.True(await _store.RevokeAsync(LockName, (await _store.GetHolderAsync(LockName, Cancellation))!.FencingToken, TimeSpan.FromSeconds(2), Cancellation));

    private Task<TestScheduler> StartAsync(string name = "ada", Action<IQuartzBuilder>? schedule = null, Action<QuartzExclusivityOptions>? exclusivity = null) =>
        StartAsync(_store, name, schedule, exclusivity);
}
