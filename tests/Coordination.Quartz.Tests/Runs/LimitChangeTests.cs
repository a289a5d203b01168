using Coordination.Quartz.Tests.Schedulers;
using Coordination.Stores;
using Microsoft.Extensions.Logging;
using Quartz;

namespace Coordination.Quartz.Tests.Runs;

/// <summary>Nodes of two versions, of which one has another limit for a job, or none: the store lets only those of one of them have its lock at a time.</summary>
[Promise("G1", "G11", "G15")]
public sealed class LimitChangeTests : LimitTest
{
    private readonly DateTimeOffset _now = DateTimeOffset.UtcNow;

    public static TheoryData<int?, int?> Changes => new() { { null, 2 }, { 3, 2 }, { 2, null } };

    [Theory]
    [MemberData(nameof(Changes))]
    [Failure("F75")]
    public async Task A_fire_that_nobody_else_runs_waits_until_the_old_ones_have_gone(int? before, int? after)
    {
        var old = await TakeAsync(ShareOf(before), Cancellation);
        var node = await StartAsync("ada", after);
        await FireAsync(node, "once", _now);
        await node.Quartz.TriggerJob(Limited, Cancellation);
        await UntilToldAsync(node, 1356);
        await UntilAsync(() => node.FiresUnderWay == 2, "both fires wait");
        Assert.Empty(node.Verdicts.All);
        Assert.Empty(Ledger.Runs);
        Assert.Empty((await InspectAsync()).Waiters);
        var warning = Assert.Single(node.Log, record => record.Id.Id == 1356);
        Assert.Equal(LogLevel.Warning, warning.Level);
        Assert.Contains($"as {CapacityOf(after)}, and others use it as {CapacityOf(before)}", warning.Message, StringComparison.Ordinal);

        await old.ReleaseAsync(Cancellation);
        await UntilAsync(() => Ledger.Runs.Count == (after ?? 1), "they run");
        StageOf(node).LetGo();
        await UntilAsync(() => node.Verdicts.All.Count == 2, "both are over");
        Assert.All(node.Verdicts.All, verdict => Assert.False(verdict.IsSkipped));
        Assert.Equal(after ?? 1, Ledger.MostAtATime());
        Assert.Equal((1, 1), (Told(node, 1356), Told(node, 1357)));
    }

    [Fact]
    [Failure("F75")]
    public async Task A_fire_that_a_later_one_of_its_series_follows_is_skipped_meanwhile()
    {
        var old = await TakeAsync(share: null, Cancellation);
        var node = await StartAsync("ada", 2);
        await FireOfSeriesAsync(node, "series", _now);
        await UntilAsync(() => node.Verdicts.All.Count == 1, "it is over");
        Assert.True(node.Verdicts.All[0].IsSkipped);
        Assert.Contains("a semaphore of 2 permits, and others use it as an exclusive lock", ((IJobRunReport)node.Verdicts.All[0].Result!).Summary, StringComparison.Ordinal);
        await UntilToldAsync(node, 1302);
        await old.ReleaseAsync(Cancellation);
        await FireOfSeriesAsync(node, "next", _now);
        await UntilAsync(() => Ledger.Runs.Count == 1, "the next one runs");
    }

    [Fact]
    public async Task A_fire_that_waits_for_a_time_skips_when_the_old_ones_have_not_gone_by_then()
    {
        await TakeAsync(share: null, Cancellation);
        var node = await StartAsync("ada", 2, job => (job.OnConflict, job.MaxWait) = (JobConflictAction.Wait, TimeSpan.FromMilliseconds(300)));
        await FireAsync(node, "once", _now);
        await UntilAsync(() => node.Verdicts.All.Count == 1, "it is over");
        Assert.True(node.Verdicts.All[0].IsSkipped);
        await UntilToldAsync(node, 1320);
    }

    [Fact]
    public async Task Each_change_of_what_a_lock_is_used_as_is_warned_of_once()
    {
        var node = await StartAsync("ada", 2);
        Store.Assign(LockName, new LockOwner("old", 1), TimeSpan.FromHours(1));
        await FireAsync(node, "once", _now);
        await node.Quartz.TriggerJob(Limited, Cancellation);
        await UntilToldAsync(node, 1356);

        // In one moment, for a fire asks again at any time.
        Assert.True(Store.Delete(LockName));
        Assert.True((await Store.AcquireAsync(
            new AcquireRequest
            {
                LockName = LockName,
                Owner = new LockOwner("next", 1),
                Entry = 1,
                LeaseDuration = TimeSpan.FromHours(1),
                ClaimWindow = TimeSpan.FromSeconds(1),
                Share = LockShare.PermitOf(3),
            },
            Cancellation)).IsGranted);
        await UntilAsync(() => node.Log.Any(record => record.Id.Id == 1356 && record.Message.Contains("others use it as a semaphore of 3 permits", StringComparison.Ordinal)), "the change is told");
        Assert.Empty(node.Verdicts.All);
        Assert.True(Store.Delete(LockName));
        await UntilAsync(() => Ledger.Runs.Count == 2, "both run");
        await UntilToldAsync(node, 1357);
        Assert.Equal(2, Told(node, 1356));
    }

    /// <summary>The new node comes while the old one is at work, and the old one goes. Each fire time comes to both.</summary>
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    [Failure("F33")]
    public async Task A_rolling_update_from_one_run_at_a_time_to_two_runs_no_fire_twice(bool leavesAtOnce)
    {
        var begin = DateTimeOffset.UtcNow.AddSeconds(1);
        var (old, update) = (await StartAsync("old", null, schedule: Often), await StartAsync("new", 2, schedule: Often));
        foreach (var node in Nodes)
        {
            // The work of the job.
            StageOf(node).Act = (_, cancellationToken) => Task.Delay(300, cancellationToken);
        }

        await UntilAsync(() => Ledger.Runs.Count >= (leavesAtOnce ? 1 : 6), "they run");
        await old.StopAsync().WaitAsync(Bound, Cancellation);
        var left = Ledger.Runs.Count;
        await UntilAsync(() => Ledger.Runs.Count >= left + 6, "the new one goes on");
        await update.StopAsync().WaitAsync(Bound, Cancellation);
        Ledger.AssertOncePerFireTime();
        Assert.Equal(2, Ledger.MostAtATime());
        foreach (var run in Ledger.Runs.Where(run => run.Scheduler == "old"))
        {
            Assert.DoesNotContain(Ledger.Runs, other => other != run && other.BeganAt < run.EndedAt && (other.EndedAt is not { } end || end > run.BeganAt));
        }

        Assert.All(Nodes, node => Assert.DoesNotContain(node.Log, record => record.Level >= LogLevel.Error));

        void Often(IQuartzBuilder quartz) =>
            quartz.AddTrigger(trigger => trigger.ForJob(Limited).WithIdentity("often").StartAt(begin).WithSimpleSchedule(x => x.WithInterval(TimeSpan.FromMilliseconds(100)).RepeatForever()));
    }

    private static LockShare? ShareOf(int? limit) => limit is { } permits ? LockShare.PermitOf(permits) : null;

    private static LockCapacity CapacityOf(int? limit) => ShareOf(limit)?.Capacity ?? LockCapacity.Exclusive;

    private Task<TestScheduler> StartAsync(string name, int? limit, Action<ExclusiveJobOptions>? configure = null, Action<IQuartzBuilder>? schedule = null) => StartAsync(
        name,
        job =>
        {
            (job.MaxConcurrentRuns, job.IsOneAtATime) = (limit, limit is null);
            configure?.Invoke(job);
        },
        schedule: schedule);
}
