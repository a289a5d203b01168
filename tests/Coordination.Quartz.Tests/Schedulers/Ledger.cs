using System.Collections.Concurrent;
using System.Diagnostics;
using Quartz;

namespace Coordination.Quartz.Tests.Schedulers;

/// <summary>What jobs did, written down by the jobs themselves, outside of everything that is tested.</summary>
internal sealed class Ledger
{
    private readonly ConcurrentQueue<JobRun> _runs = new();

    public IReadOnlyList<JobRun> Runs => [.. _runs];

    public JobRun Begin(IJobExecutionContext context)
    {
        var run = new JobRun(
            context.Scheduler.SchedulerInstanceId,
            context.JobDetail.Key,
            context.ScheduledFireTimeUtc ?? default,
            context.TryGetLease(out var lease) ? lease.FencingToken : null,
            Stopwatch.GetTimestamp());
        _runs.Enqueue(run);
        return run;
    }

    /// <summary>Shows that no two runs overlapped, and that tokens grew from each to the next.</summary>
    public void AssertOneAtATime()
    {
        var runs = Runs.OrderBy(run => run.BeganAt).ToList();
        foreach (var (earlier, later) in runs.Zip(runs.Skip(1)))
        {
            Assert.True(earlier.EndedAt is { } end && end <= later.BeganAt, $"{earlier.Scheduler} and {later.Scheduler} ran at the same time.");
            Assert.True(earlier.Token < later.Token, $"The token {later.Token} followed upon {earlier.Token}.");
        }
    }

    /// <summary>Shows that no fire time was run twice.</summary>
    public void AssertOncePerFireTime()
    {
        Assert.NotEmpty(Runs);
        Assert.All(Runs.GroupBy(run => (run.Job, run.FireTime)), runs => Assert.True(runs.Count() == 1, $"{runs.Key} ran on {string.Join(" and ", runs.Select(run => run.Scheduler))}."));
    }
}
