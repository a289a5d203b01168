using System.Globalization;

namespace Coordination.Quartz.Policies;

/// <summary>What the options of a job may be.</summary>
internal static class ExclusiveJobOptionsRanges
{
    private static readonly DurationRange MaxWait = DurationRange.UpTo(TimeSpan.FromDays(1), "null for the default");
    private static readonly DurationRange MaxRunTime = DurationRange.Between(TimeSpan.FromMilliseconds(1), TimeSpan.FromDays(31), "null for no limit");
    private static readonly DurationRange LeaseDuration = DurationRange.Between(LeaseTimings.MinDuration, LeaseTimings.MaxDuration, "null for that of the node");
    private static readonly DurationRange LockAtLeastFor = DurationRange.Between(TimeSpan.Zero, LeaseTimings.MaxDuration, "null for not at all");

    /// <summary>What is wrong with options, and what to do; nothing when they are fine.</summary>
    public static IEnumerable<string> FindFaults(ExclusiveJobOptions options)
    {
        if (options.Name is { Length: 0 })
        {
            yield return $"{nameof(options.Name)} is empty. Give it a name, or leave it null for the key of the job.";
        }

        if (options.MaxConcurrentRuns is { } runs and (< 1 or > LockCapacity.MaxPermits))
        {
            yield return string.Create(CultureInfo.InvariantCulture, $"{nameof(options.MaxConcurrentRuns)} is {runs}. Use 1 to {LockCapacity.MaxPermits}, or null for one run at a time by an exclusive lock.");
        }

        foreach (var fault in (string?[])
            [
                MaxWait.FindError(nameof(options.MaxWait), options.MaxWait),
                LeaseDuration.FindError(nameof(options.LeaseDuration), options.LeaseDuration),
                MaxRunTime.FindError(nameof(options.MaxRunTime), options.MaxRunTime),
                LockAtLeastFor.FindError(nameof(options.LockAtLeastFor), options.LockAtLeastFor),
            ])
        {
            if (fault is not null)
            {
                yield return fault;
            }
        }

        if (options.OnCrash == JobCrashAction.Recover && options.OncePerFireTime == false)
        {
            yield return $"{nameof(options.OnCrash)} is {nameof(JobCrashAction.Recover)}, which needs {nameof(options.OncePerFireTime)}: without it no node knows which fire was begun. Set it to true, or {nameof(options.OnCrash)} to {nameof(JobCrashAction.Skip)}.";
        }

        foreach (var fault in FindUndefined(options))
        {
            yield return fault;
        }
    }

    private static IEnumerable<string> FindUndefined(ExclusiveJobOptions options)
    {
        if (options.OnConflict is { } conflict && !Enum.IsDefined(conflict))
        {
            yield return $"{nameof(options.OnConflict)} is {conflict}. Use Skip or Wait.";
        }

        if (options.OnCrash is { } crash && !Enum.IsDefined(crash))
        {
            yield return $"{nameof(options.OnCrash)} is {crash}. Use Skip or Recover.";
        }

        if (options.OnStoreUnavailable is { } unavailable && !Enum.IsDefined(unavailable))
        {
            yield return $"{nameof(options.OnStoreUnavailable)} is {unavailable}. Use Skip or RunAnyway.";
        }
    }
}
