namespace Coordination.Quartz.Execution;

/// <summary>What became of a fire.</summary>
internal enum FireOutcome
{
    /// <summary>The job ran here, and returned.</summary>
    Ran,

    /// <summary>The job ran here, in place of a node that did not finish it, and returned.</summary>
    Recovered,

    /// <summary>The job began here, and was cancelled; also where it returned after this node, which stops, had told it to stop.</summary>
    Cancelled,

    /// <summary>The job began here, and failed.</summary>
    Failed,

    /// <summary>Another run had the lock.</summary>
    SkippedAsHeld,

    /// <summary>Another fire of the same trigger waits for the lock on this node.</summary>
    SkippedAsWaiting,

    /// <summary>Another node has run this fire time.</summary>
    SkippedAsRun,

    /// <summary>The store did not reply.</summary>
    SkippedAsUnavailable,

    /// <summary>The scheduler shut down before its turn came.</summary>
    SkippedAtStop,

    /// <summary>Its trigger was deleted before its turn came, alone or with its job.</summary>
    SkippedAsWithdrawn,

    /// <summary>The job ran here with no lease, because the store did not reply.</summary>
    RanUnprotected,

    /// <summary>The job ran here, and its lease was lost.</summary>
    Lost,
}
