namespace Coordination.Quartz.Policies;

/// <summary>What the options of a job may be.</summary>
internal static class ExclusiveJobOptionsRanges
{
    private static readonly TimeSpan LongestWait = TimeSpan.FromDays(1);

    /// <summary>What is wrong with options, and what to do; nothing when they are fine.</summary>
    public static IEnumerable<string> FindFaults(ExclusiveJobOptions options)
    {
        if (options.Name is { Length: 0 })
        {
            yield return $"{nameof(options.Name)} is empty. Give it a name, or leave it null for the key of the job.";
        }

        if (options.MaxWait is { } wait && (wait <= TimeSpan.Zero || wait > LongestWait))
        {
            yield return $"{nameof(options.MaxWait)} is {wait}, and must be greater than zero and at most {LongestWait}.";
        }

        if (options.LeaseDuration is { } lease && (lease < LeaseTimings.MinDuration || lease > LeaseTimings.MaxDuration))
        {
            yield return $"{nameof(options.LeaseDuration)} is {lease}, and must be from {LeaseTimings.MinDuration} to {LeaseTimings.MaxDuration}.";
        }

        if (options.LockAtLeastFor is { } atLeast && (atLeast < TimeSpan.Zero || atLeast > LeaseTimings.MaxDuration))
        {
            yield return $"{nameof(options.LockAtLeastFor)} is {atLeast}, and must be from zero to {LeaseTimings.MaxDuration}.";
        }

        if (options.OnCrash == OnCrash.Recover && options.OncePerFireTime == false)
        {
            yield return $"{nameof(options.OnCrash)} is {nameof(OnCrash.Recover)}, which needs {nameof(options.OncePerFireTime)}: without it no node knows which fire was begun. Set it to true, or {nameof(options.OnCrash)} to {nameof(OnCrash.Skip)}.";
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
