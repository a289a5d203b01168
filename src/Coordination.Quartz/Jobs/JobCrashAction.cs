namespace Coordination;

/// <summary>What becomes of a fire whose node died, or lost its lease, before the job was done.</summary>
public enum JobCrashAction
{
    /// <summary>Nothing: each fire time is begun once at most. For work that must not be done twice, not even in part.</summary>
    Skip,

    /// <summary>
    /// Another node runs it. The same fire of the other nodes stands by until the job is done. Does nothing with a job store that outlives the process, where
    /// each fire comes to one node only: there it is <c>RequestRecovery()</c> of the job that asks for it. For work that may be done again: what the node that died has done by then is done twice. A fire that a
    /// stopping node cancelled is run by another node as well.
    /// </summary>
    /// <remarks>
    /// A job that returns after a stopping node has cancelled its token counts as one that did not finish, whether or not it has: nobody can tell a job
    /// that left off from one that was done in that moment. So one that was done may be run again.
    /// </remarks>
    Recover,
}
