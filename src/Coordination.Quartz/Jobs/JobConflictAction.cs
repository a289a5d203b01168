namespace Coordination;

/// <summary>What a fire does that finds its job running on another node.</summary>
public enum JobConflictAction
{
    /// <summary>
    /// It does not run the job: the fire is vetoed, and says why in its result. Where no later fire of its series follows, that is a warning: nobody runs it.
    /// </summary>
    /// <remarks>
    /// What is no conflict with another run is waited for all the same, in this order: a fire that Quartz recovers waits for the lease of the node that died, for the
    /// lease duration and 5 seconds at most; a refire or a retry waits for 5 seconds at most for the lock that its own fire released in between; with
    /// <see cref="JobCrashAction.Recover"/> each fire waits for half a second at most, because the lock may be with a node that stood by for the fire before, and one
    /// that finds its own fire time running on another node stands by until that run is over.
    /// </remarks>
    Skip,

    /// <summary>
    /// It waits for the job's turn, for <see cref="ExclusiveJobOptions.MaxWait"/> at most, and then skips. It leaves its place in Quartz's own thread pool
    /// for as long, and one fire of a trigger waits at a time: it stands for those that come meanwhile.
    /// </summary>
    Wait,
}
