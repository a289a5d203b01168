namespace Coordination.Hosting.Services;

/// <summary>How a try to lead ended.</summary>
internal enum TermEnd
{
    /// <summary>The work returned by itself.</summary>
    Completed,

    /// <summary>The host stops.</summary>
    Stopped,

    /// <summary>The lease was lost.</summary>
    Lost,

    /// <summary>The work threw.</summary>
    Failed,

    /// <summary>There was no term: contending failed in a way that does not pass by itself.</summary>
    Refused,
}
