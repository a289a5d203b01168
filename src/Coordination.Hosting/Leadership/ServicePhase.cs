namespace Coordination.Hosting.Leadership;

/// <summary>What a service does on this node.</summary>
internal enum ServicePhase
{
    /// <summary>The host has not started.</summary>
    NotStarted,

    /// <summary>The host has stopped.</summary>
    Stopped,

    /// <summary>May not lead, and stands in no queue.</summary>
    Ineligible,

    /// <summary>Prepares the next term, before it contends.</summary>
    Preparing,

    /// <summary>Waits for the lock.</summary>
    Standby,

    /// <summary>Waits until those have gone who use the lock with another number of leaders, as during a rolling update.</summary>
    Deferred,

    /// <summary>Does the work of a term.</summary>
    Leader,

    /// <summary>Lost the lease; the work has not returned yet.</summary>
    Lost,

    /// <summary>Lost the lease, and the work takes longer than it may to return.</summary>
    Overdue,

    /// <summary>Has released the lock, or is about to, and does what comes after a term, such as its hook. Stands in no queue yet.</summary>
    Ended,

    /// <summary>Stays away after a term whose work returned by itself, or that stepped down.</summary>
    Pausing,

    /// <summary>Stays away after a failure.</summary>
    BackingOff,

    /// <summary>The work returned by itself, and is not to be done again.</summary>
    Completed,
}
