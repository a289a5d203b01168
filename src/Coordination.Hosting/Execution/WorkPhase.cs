namespace Coordination.Hosting.Execution;

/// <summary>What periodic work, or work that is run once, does on this node.</summary>
/// <remarks>Of several runs at a time, the phase that comes last here counts.</remarks>
internal enum WorkPhase
{
    /// <summary>The host has not started.</summary>
    NotStarted,

    /// <summary>The host has stopped.</summary>
    Stopped,

    /// <summary>Waits for the next slot, for the lock, or for another node to have done it.</summary>
    Waiting,

    /// <summary>Stays away after a failure.</summary>
    BackingOff,

    /// <summary>It is done, and is not done again.</summary>
    Done,

    /// <summary>A run is under way.</summary>
    Running,

    /// <summary>The lease was lost; the run has not returned yet.</summary>
    Lost,

    /// <summary>The lease was lost, and the run takes longer than it may to return.</summary>
    Overdue,
}
