namespace Coordination;

/// <summary>What a fire does when the store of the locks does not reply.</summary>
public enum JobOutageAction
{
    /// <summary>It does not run the job: the fire is vetoed, and says why in its result. Where no later fire of its series follows, that is a warning: nobody runs it.</summary>
    Skip,

    /// <summary>
    /// It runs the job with no lease, about a second after it is known that the store is away: every node does that cannot reach the store. The job asks for its lease by
    /// <see cref="JobExecutionContextExtensions.TryGetLease"/>, for there may be none. Not where the store is there and the lock alone is busy in it (<see cref="LockStoreException.IsLockBusy"/>):
    /// that lock may well be somebody's, and to a fire it is as one that is held.
    /// </summary>
    RunAnyway,
}
