namespace Coordination.Hosting.Execution;

/// <summary>How exclusive work ended, or a try to begin it.</summary>
internal enum WorkEnd
{
    /// <summary>The work returned by itself.</summary>
    Completed,

    /// <summary>It was told to stop, because its node or its caller does, and ended: it may have returned before it was done.</summary>
    Stopped,

    /// <summary>The lease was lost.</summary>
    Lost,

    /// <summary>The node stepped down.</summary>
    SteppedDown,

    /// <summary>The term was as long as a term may be.</summary>
    MaxTermReached,

    /// <summary>The work threw.</summary>
    Failed,

    /// <summary>The work did not begin: contending failed in a way that does not pass by itself.</summary>
    Refused,
}
