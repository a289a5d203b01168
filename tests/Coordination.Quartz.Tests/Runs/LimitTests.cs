using Coordination.Quartz.Tests.Schedulers;
using Quartz;

namespace Coordination.Quartz.Tests.Runs;

/// <summary>Up to two runs of a job at a time, on one node and on several.</summary>
[Promise("G1", "G11")]
public sealed class LimitTests : LimitTest
{
    [Theory]
    [InlineData(1)]
    [InlineData(3)]
    public async Task As_many_runs_as_the_limit_are_under_way_at_a_time_and_never_more(int nodes)
    {
        var step = new SemaphoreSlim(0);
        for (var i = 0; i < nodes; i++)
        {
            StageOf(await StartAsync($"node{i}")).Act = (_, cancellationToken) => step.WaitAsync(cancellationToken);
        }

        // Nobody else runs what is asked for by hand, so each waits.
        for (var i = 0; i < 9; i++)
        {
            await Nodes[i % nodes].Quartz.TriggerJob(Limited, Cancellation);
        }

        for (var ended = 0; ended < 9; ended++)
        {
            var begun = Math.Min(ended + 2, 9);
            await UntilAsync(() => Ledger.Runs.Count >= begun, $"{begun} runs have begun");
            await UntilAsync(() => Nodes.Sum(node => node.FiresUnderWay) == 9 - ended, "the others wait");
            Assert.Equal(begun, Ledger.Runs.Count);
            step.Release();
        }

        await UntilAsync(() => Nodes.Sum(node => node.Verdicts.All.Count) == 9, "all are over");
        Assert.All(Nodes.SelectMany(node => node.Verdicts.All), verdict => Assert.False(verdict.IsSkipped));
        Ledger.AssertUpTo(2);
        await UntilAsync(() => Store.Count == 0, "nothing is held");
    }

    /// <summary>Fires come every 100 ms to each of three nodes, and a run lasts for four of them.</summary>
    [Fact]
    [Failure("F33")]
    public async Task Fires_that_come_faster_than_runs_end_are_run_once_each_or_skipped()
    {
        var begin = DateTimeOffset.UtcNow.AddSeconds(1);
        foreach (var name in (string[])["ada", "bob", "cy"])
        {
            var node = await StartAsync(name, schedule: quartz => quartz.AddTrigger(trigger => trigger.ForJob(Limited).WithIdentity("often").StartAt(begin).WithSimpleSchedule(x => x.WithInterval(TimeSpan.FromMilliseconds(100)).RepeatForever())));

            // The work of the job.
            StageOf(node).Act = (_, cancellationToken) => Task.Delay(400, cancellationToken);
        }

        await UntilAsync(() => Ledger.Runs.Count(run => run.EndedAt is not null) >= 8, "eight runs are over");
        await Task.WhenAll(Nodes.Select(node => node.StopAsync()));
        Ledger.AssertOncePerFireTime();
        Ledger.AssertUpTo(2);
        Assert.All(Nodes, node => Assert.DoesNotContain(node.Log, record => record.Level >= Microsoft.Extensions.Logging.LogLevel.Error));
        Assert.Contains(Nodes.SelectMany(node => node.Verdicts.All), verdict => verdict.Result is IJobRunReport { Summary: { } why } && why.Contains("All permits of the lock", StringComparison.Ordinal));
    }

    [Fact]
    [Failure("F75")]
    public async Task A_fire_that_finds_all_permits_with_others_waits_and_not_for_its_own_series()
    {
        var (ada, bob) = (await StartAsync("ada"), await StartAsync("bob"));
        var now = DateTimeOffset.UtcNow;
        await FireOfSeriesAsync(ada, "own", now.AddHours(-1));
        await UntilAsync(() => Ledger.Runs.Count == 1, "the own series runs");
        var permit = await TakeAsync(LockShare.PermitOf(2), Cancellation);
        await FireOfSeriesAsync(bob, "own", now);
        await FireOfSeriesAsync(bob, "another", now);
        await UntilWaitersAsync(1);
        await UntilAsync(() => bob.Verdicts.All.Count == 1, "that of the own series is skipped");
        Assert.True(bob.Verdicts.All[0].IsSkipped);
        await permit.ReleaseAsync(Cancellation);
        await UntilAsync(() => Ledger.Runs.Count == 2, "that of another runs");
        Ledger.AssertUpTo(2);
    }

    [Fact]
    public async Task A_node_that_comes_late_to_a_fire_skips_it_also_where_there_is_room()
    {
        var (ada, bob) = (await StartAsync("ada"), await StartAsync("bob"));
        var now = DateTimeOffset.UtcNow;
        await FireAsync(ada, "once", now);
        await UntilAsync(() => Ledger.Runs.Count == 1, "ada runs it");
        await FireAsync(bob, "once", now);
        await UntilAsync(() => bob.Verdicts.All.Count == 1, "bob's fire is over");
        Assert.True(bob.Verdicts.All[0].IsSkipped);
        StageOf(ada).LetGo();
        await UntilAsync(() => ada.Verdicts.All.Count == 1, "ada's run is over");
        Assert.Single(Ledger.Runs);
    }

    [Fact]
    public async Task A_permit_that_is_kept_for_some_time_counts_although_its_run_is_over()
    {
        var node = await StartAsync("ada", job => (job.LockAtLeastFor, job.OnConflict) = (TimeSpan.FromHours(1), JobConflictAction.Skip), holds: false);
        for (var i = 1; i <= 3; i++)
        {
            await node.Quartz.TriggerJob(Limited, Cancellation);
            await UntilAsync(() => node.Verdicts.All.Count == i, "the fire is over");
        }

        Assert.Equal([false, false, true], node.Verdicts.All.Select(verdict => verdict.IsSkipped));
        Assert.Equal([0, 1], Ledger.Runs.Select(run => run.Permit!.Value));
    }
}
