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
            lease?.Permit,
            Stopwatch.GetTimestamp())
        {
            Lease = lease,
        };
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

    /// <summary>How many runs overlapped at most, in the moment in which the last of them began. One that has not ended overlaps all that begin after it.</summary>
    public int MostAtATime()
    {
        var runs = Runs;
        return runs.Count == 0 ? 0 : runs.Max(run => BesideAt(runs, run).Count());
    }

    /// <summary>Shows that there were never more runs at a time than a number, and that there were as many once; each with a permit that no other had meanwhile, and a token of its own.</summary>
    public void AssertUpTo(int limit)
    {
        var runs = Runs;
        Assert.Equal(limit, MostAtATime());
        Assert.All(runs, run => Assert.InRange(run.Permit ?? -1, 0, limit - 1));
        Assert.All(runs, run => Assert.Single(BesideAt(runs, run), beside => beside.Permit == run.Permit));
        Assert.Distinct(runs.Select(run => run.Token));
    }

    /// <summary>Shows that no fire time was run twice.</summary>
    public void AssertOncePerFireTime()
    {
        Assert.NotEmpty(Runs);
        Assert.All(Runs.GroupBy(run => (run.Job, run.FireTime)), runs => Assert.True(runs.Count() == 1, $"{runs.Key} ran on {string.Join(" and ", runs.Select(run => run.Scheduler))}."));
    }

    /// <summary>The runs that were under way when one began, itself among them.</summary>
    private static IEnumerable<JobRun> BesideAt(IReadOnlyList<JobRun> runs, JobRun run) =>
        runs.Where(other => other == run || (other.BeganAt <= run.BeganAt && (other.EndedAt is not { } end || end > run.BeganAt)));
}
