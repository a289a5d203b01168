namespace Coordination;

/// <summary>What a fire does when the store of the locks does not reply.</summary>
public enum JobOutageAction
{
    /// <summary>It does not run the job, and says so in the result of the fire.</summary>
    Skip,

    /// <summary>It runs the job with no lease: every node does that cannot reach the store.</summary>
    RunAnyway,
}
