namespace Coordination;

/// <summary>What a fire does that finds its job running on another node.</summary>
public enum JobConflictAction
{
    /// <summary>
    /// It does not run the job, and says so in the result of the fire. With <see cref="JobCrashAction.Recover"/> it gives up after half a second: the lock may
    /// be with a node that stood by for the fire before.
    /// </summary>
    Skip,

    /// <summary>It waits for the job's turn, for <see cref="ExclusiveJobOptions.MaxWait"/> at most, and then skips. It takes up a place in the scheduler's thread pool while it waits.</summary>
    Wait,
}
