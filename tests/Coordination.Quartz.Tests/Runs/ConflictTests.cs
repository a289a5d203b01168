using Coordination.Quartz.Tests.Jobs;
using Coordination.Quartz.Tests.Schedulers;
using Coordination.TestKit.Servers;
using Coordination.TestKit.Waiting;
using Microsoft.Extensions.DependencyInjection;
using Quartz;

namespace Coordination.Quartz.Tests.Runs;

public sealed class ConflictTests(AnyServerFixture redis) : ClusterTest(redis)
{
    private static readonly JobKey Job = new("staged");

    [Fact]
    public async Task A_fire_that_finds_the_job_running_elsewhere_skips_and_names_the_node()
    {
        var (holder, other) = await StartTwoAsync(job => job.OnConflict = JobConflictAction.Skip);
        await other.Quartz.TriggerJob(Job, Cancellation);
        await Until(() => other.Verdicts.All.Count == 1, "the other's fire is over");
        var verdict = other.Verdicts.All[0];
        Assert.True(verdict.IsSkipped);
        Assert.Contains("held by holder-", ((IJobRunReport)verdict.Result!).Summary, StringComparison.Ordinal);
        Assert.Contains(other.Log, record => record.Id.Id == 1320);
        holder.Services.GetRequiredService<Stage>().LetGo();
        await AssertNothingHeldAsync("tests/QuartzScheduler/DEFAULT/staged");
    }

    [Fact]
    public async Task A_fire_that_waits_gets_its_turn()
    {
        var (holder, other) = await StartTwoAsync(job => (job.OnConflict, job.MaxWait) = (JobConflictAction.Wait, Bound));
        await other.Quartz.TriggerJob(Job, Cancellation);
        await Until(() => other.FiresUnderWay == 1, "the other waits");
        holder.Services.GetRequiredService<Stage>().LetGo();
        await Until(() => other.Verdicts.All.Count == 1, "the other has run");
        Assert.False(other.Verdicts.All[0].IsSkipped);
        Assert.Equal(["holder", "other"], Ledger.Runs.Select(run => run.Scheduler));
        Ledger.AssertOneAtATime();
    }

    [Fact]
    [Promise("G11")]
    [Failure("F75")]
    public async Task A_fire_waits_for_a_run_of_another_series_and_not_for_one_of_its_own()
    {
        var now = DateTimeOffset.UtcNow;
        var (holder, other) = await StartTwoAsync(trigger: TriggerBuilder.Create().ForJob(Job).WithIdentity("own").StartAt(now).WithSimpleSchedule(x => x.WithInterval(TimeSpan.FromSeconds(1)).RepeatForever()).Build());
        foreach (var trigger in (string[])["own", "another"])
        {
            await other.Quartz.ScheduleJob(
                TriggerBuilder.Create().ForJob(Job).WithIdentity(trigger).StartAt(now).WithSimpleSchedule(x => x.WithInterval(TimeSpan.FromSeconds(trigger == "own" ? 1 : 3600)).RepeatForever()).Build(),
                cancellationToken: Cancellation);
        }

        await Until(() => other.Verdicts.All.Count >= 2 && other.FiresUnderWay == 1, "two of the own series were skipped, and that of another waits");
        Assert.All(other.Verdicts.All, verdict => Assert.True(verdict.IsSkipped));
        holder.Services.GetRequiredService<Stage>().LetGo();
        await Until(() => other.Verdicts.All.Any(verdict => !verdict.IsSkipped), "that of another has run");
        Assert.Equal("other", Ledger.Runs[1].Scheduler);
        Assert.True(Ledger.Runs[1].FireTime < other.Verdicts.All[1].FireTime, "It is the one that waited.");
        Ledger.AssertOneAtATime();
    }

    [Fact]
    [Promise("G8")]
    public async Task A_fire_that_has_waited_for_long_enough_skips_and_leaves_the_queue()
    {
        var (holder, other) = await StartTwoAsync(job => (job.OnConflict, job.MaxWait) = (JobConflictAction.Wait, TimeSpan.FromMilliseconds(200)));
        await other.Quartz.TriggerJob(Job, Cancellation);
        await Until(() => other.Verdicts.All.Count == 1, "the other gave up");
        Assert.True(other.Verdicts.All[0].IsSkipped);
        var inspector = holder.Services.GetRequiredService<ILockInspector>();

        // By itself, and not before the fire goes on.
        await Eventually.IsTrueAsync(
            async () => (await inspector.InspectAsync("tests/QuartzScheduler/DEFAULT/staged", cancellationToken: Cancellation)).Waiters.Count == 0, Bound, "the queue is empty");
    }

    [Fact]
    [Promise("G10")]
    public async Task A_scheduler_that_shuts_down_does_not_wait_for_fires_that_wait()
    {
        var (_, other) = await StartTwoAsync(job => (job.OnConflict, job.MaxWait) = (JobConflictAction.Wait, TimeSpan.FromHours(1)));
        await other.Quartz.TriggerJob(Job, Cancellation);
        await Until(() => other.FiresUnderWay == 1, "the other waits");
        await other.StopAsync().WaitAsync(Bound, Cancellation);

        // Not interrupted at the very end, but told at once.
        Assert.True(Assert.Single(other.Verdicts.All).IsSkipped);
        Assert.Single(Ledger.Runs);
    }

    [Fact]
    public async Task A_lock_at_least_for_some_time_keeps_a_short_job_from_running_again()
    {
        var node = await StartAsync("ada", AddJob, o => o.ForJob<StagedJob>(job => (job.LockAtLeastFor, job.OnConflict) = (TimeSpan.FromHours(1), JobConflictAction.Skip)));
        for (var i = 1; i <= 2; i++)
        {
            await node.Quartz.TriggerJob(Job, Cancellation);
            await Until(() => node.Verdicts.All.Count == i, "the fire is over");
        }

        Assert.Equal([false, true], node.Verdicts.All.Select(verdict => verdict.IsSkipped));
    }

    private static void AddJob(IQuartzBuilder quartz) => quartz.AddJob<StagedJob>(job => job.WithIdentity(Job).StoreDurably());

    /// <summary>Two nodes, of which the first runs the job.</summary>
    private async Task<(TestScheduler Holder, TestScheduler Other)> StartTwoAsync(Action<ExclusiveJobOptions>? configure = null, ITrigger? trigger = null)
    {
        var stage = new Stage();
        stage.Act = (_, cancellationToken) => stage.HoldAsync(cancellationToken);
        var holder = await StartAsync("holder", AddJob, o => o.ForJob<StagedJob>(configure), services: services => services.AddSingleton(stage));
        var other = await StartAsync("other", AddJob, o => o.ForJob<StagedJob>(configure));
        await (trigger is null ? holder.Quartz.TriggerJob(Job, Cancellation).AsTask() : holder.Quartz.ScheduleJob(trigger, cancellationToken: Cancellation).AsTask());
        await Until(() => Ledger.Runs.Count == 1, "the first runs the job");
        return (holder, other);
    }
}
