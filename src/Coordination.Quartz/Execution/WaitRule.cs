using Coordination.Quartz.Policies;
using Quartz;

namespace Coordination.Quartz.Execution;

/// <summary>Decides how long a fire waits for a lock that another run has, so that nothing is dropped that nobody else will run.</summary>
internal static class WaitRule
{
    /// <summary>How long nodes that stand by for a fire have the lock, one after the other, to see that it was run.</summary>
    public static readonly TimeSpan StandbysTurn = TimeSpan.FromMilliseconds(500);

    /// <summary>
    /// How long a refire waits for the lock that its fire has just released. A node that stands by may have it for the moment that it takes to see
    /// that the fire was run, and one with a short job for its next fire.
    /// </summary>
    private static readonly TimeSpan RefiresTurn = TimeSpan.FromSeconds(5);

    /// <summary>How long a fire waits that is told to, and not how long.</summary>
    public static readonly TimeSpan DefaultMaxWait = TimeSpan.FromMinutes(1);

    /// <summary>How long a fire waits; null for not at all.</summary>
    /// <param name="context">The fire.</param>
    /// <param name="policy">How it is exclusive.</param>
    /// <param name="isPersistent">Whether the scheduler's store outlives the process: then each fire comes to one node only.</param>
    /// <param name="leaseDuration">How long the lease of a node that died lasts.</param>
    public static TimeSpan? LongestWait(IJobExecutionContext context, ExclusivePolicy policy, bool isPersistent, TimeSpan leaseDuration) => policy.OnConflict switch
    {
        JobConflictAction.Wait => policy.MaxWait ?? DefaultMaxWait,

        // What holds the lock is the lease of the node that died, and no run: that is no conflict.
        JobConflictAction.Skip when context.Recovering => leaseDuration + RefiresTurn,
        null when isPersistent || IsNobodyElses(context) => policy.MaxWait ?? Timeout.InfiniteTimeSpan,
        _ => context.RefireCount > 0 || context.RetryAttempt > 0 ? RefiresTurn : null,
    };

    /// <summary>How long a fire waits that a later one of its series follows, where the lock is with a run of another series; null for not at all.</summary>
    public static TimeSpan? LongestWaitForOthers(ExclusivePolicy policy) => policy.OnConflict is null ? policy.MaxWait ?? Timeout.InfiniteTimeSpan : null;

    /// <summary>Whether a fire that waits for its turn waits also for a store that is away, unless it is told to skip then.</summary>
    public static bool WaitsForStore(ExclusivePolicy policy) =>
        policy.OnStoreUnavailable is null || (policy is { OnStoreUnavailable: JobOutageAction.Skip, OnConflict: JobConflictAction.Wait });

    /// <summary>Whether nothing of the kind comes after it: it is run once, was asked for by hand, is recovered, or is the last of its series.</summary>
    private static bool IsNobodyElses(IJobExecutionContext context) =>
        context.Recovering
        || context.NextFireTimeUtc is null
        || context.Trigger.JobDataMap.ContainsKey(SchedulerConstants.ManualTrigger);
}
