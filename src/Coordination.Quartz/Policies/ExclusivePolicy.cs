namespace Coordination.Quartz.Policies;

/// <summary>How one fire is exclusive, with everything decided.</summary>
/// <param name="LockName">The lock, with the placeholders filled in.</param>
/// <param name="Share">What a run has of the lock: one of several permits; null for all of it.</param>
/// <param name="LockOptions">How the lock is held.</param>
/// <param name="OnConflict">What to do when another node runs the job; null for what suits the fire.</param>
/// <param name="MaxWait">How long to wait then; null for what suits the fire.</param>
/// <param name="OncePerFireTime">Whether a fire time is run once at most.</param>
/// <param name="OnCrash">What becomes of a fire that was begun and not finished.</param>
/// <param name="OnStoreUnavailable">What to do when the store does not reply; null for what suits the fire.</param>
/// <param name="MaxRunTime">After what time the job is interrupted; null for never.</param>
internal sealed record ExclusivePolicy(
    string LockName,
    LockShare? Share,
    LockOptions LockOptions,
    JobConflictAction? OnConflict,
    TimeSpan? MaxWait,
    bool OncePerFireTime,
    JobCrashAction OnCrash,
    JobOutageAction? OnStoreUnavailable,
    TimeSpan? MaxRunTime)
{
    /// <summary>The capacity that the lock has to have.</summary>
    public LockCapacity Capacity => Share?.Capacity ?? LockCapacity.Exclusive;
}
