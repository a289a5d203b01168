namespace Coordination;

/// <summary>What a fire does that finds its job running on another node.</summary>
public enum JobConflictAction
{
    /// <summary>
    /// It does not run the job: the fire is vetoed, and says why in its result. A fire that is recovered waits all the same for the lease of the node
    /// that died. With <see cref="JobCrashAction.Recover"/> it gives up after half a second: the lock may
    /// be with a node that stood by for the fire before.
    /// </summary>
    Skip,

    /// <summary>
    /// It waits for the job's turn, for <see cref="ExclusiveJobOptions.MaxWait"/> at most, and then skips. It leaves its place in Quartz's own thread pool
    /// for as long, and one fire of a trigger waits at a time: it stands for those that come meanwhile.
    /// </summary>
    Wait,
}
