namespace Coordination.Chaos.History;

/// <summary>What a process wrote down.</summary>
internal enum EventKind
{
    /// <summary>It began to wait for a lock.</summary>
    Waiting,

    /// <summary>It was told that it stands in the queue of the lock.</summary>
    Queued,

    /// <summary>It was told that it has the lock, and believes so from here on.</summary>
    Granted,

    /// <summary>It acquired a lock once more that it held, and released that.</summary>
    Reentered,

    /// <summary>It is about to cancel its wait: from here on it may be out of the queue, before it is told so.</summary>
    GivingUp,

    /// <summary>It gave up waiting, or was refused.</summary>
    GaveUp,

    /// <summary>It was told that the lock is lost, and believes no longer.</summary>
    Lost,

    /// <summary>It is about to release, and believes no longer.</summary>
    Releasing,

    /// <summary>It knows how the release ended.</summary>
    Released,

    /// <summary>It was not scheduled, from the moment of the event for as long as the event says.</summary>
    Unscheduled,

    /// <summary>It ran a fire of a schedule.</summary>
    Fired,

    /// <summary>Its work under a lock began to stand still, for as long as the event says.</summary>
    Hanging,

    /// <summary>It asked the holder of a lock to step down, from the moment of the event for as long as the event says.</summary>
    Asked,

    /// <summary>Its node was told to drain, and leads nothing new from here on.</summary>
    Draining,

    /// <summary>Its node was drained.</summary>
    Drained,

    /// <summary>Its node, which was told to drain before, is about to be resumed.</summary>
    Resumed,

    /// <summary>It was about to be suspended in the middle of a call.</summary>
    Suspending,

    /// <summary>Its transaction under a lock, which guards it, did not commit.</summary>
    Uncommitted,

    /// <summary>It ended, in order or not; said by who started it.</summary>
    Ended,
}
