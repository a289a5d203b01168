namespace Coordination.Quartz.Execution;

/// <summary>What became of a fire.</summary>
internal enum FireOutcome
{
    /// <summary>The job ran here, whatever came of it.</summary>
    Ran,

    /// <summary>The job ran here, in place of a node that did not finish it.</summary>
    Recovered,

    /// <summary>Another node had the job.</summary>
    SkippedAsHeld,

    /// <summary>Another node has run this fire time.</summary>
    SkippedAsRun,

    /// <summary>The store did not reply.</summary>
    SkippedAsUnavailable,

    /// <summary>The job ran here with no lease, because the store did not reply.</summary>
    RanUnprotected,

    /// <summary>The job ran here, and its lease was lost.</summary>
    Lost,
}
