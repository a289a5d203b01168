namespace Coordination.Hosting.Execution;

/// <summary>How work under a lease ended.</summary>
internal enum WorkEnd
{
    /// <summary>It returned.</summary>
    Completed,

    /// <summary>It threw, and nobody had told it to stop.</summary>
    Failed,

    /// <summary>The lease was lost while it ran.</summary>
    Lost,

    /// <summary>It was told to stop, and ended.</summary>
    Stopped,
}
