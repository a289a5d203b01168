namespace Coordination.Hosting.Terms;

/// <summary>How a try to lead ended.</summary>
internal enum TermEnd
{
    /// <summary>The work returned by itself.</summary>
    Completed,

    /// <summary>The host stops.</summary>
    Stopped,

    /// <summary>The lease was lost.</summary>
    Lost,

    /// <summary>The node stepped down.</summary>
    SteppedDown,

    /// <summary>The term was as long as a term may be.</summary>
    MaxTermReached,

    /// <summary>The work threw.</summary>
    Failed,

    /// <summary>There was no term: contending failed in a way that does not pass by itself.</summary>
    Refused,
}
