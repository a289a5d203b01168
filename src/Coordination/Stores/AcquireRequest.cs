namespace Coordination.Stores;

/// <summary>A request for a lock.</summary>
public sealed record AcquireRequest
{
    /// <summary>The lock.</summary>
    /// <value>A name that was checked.</value>
    public required string LockName { get; init; }

    /// <summary>Who wants it.</summary>
    public required LockOwner Owner { get; init; }

    /// <summary>Tells this acquisition from others of the same owner; a repeated request carries the same one.</summary>
    public required long Entry { get; init; }

    /// <summary>How long the grant lasts with no renewal.</summary>
    public required TimeSpan LeaseDuration { get; init; }

    /// <summary>How long a lock that is passed to a waiter by this request stays passed without being claimed.</summary>
    public required TimeSpan ClaimWindow { get; init; }

    /// <summary>Whether to join the queue when the lock is not free.</summary>
    /// <value>False by default.</value>
    public bool Wait { get; init; }

    /// <summary>
    /// Whether it was refused before, and so stands in the queue already: mostly it changes nothing but until when its owner counts as alive. A store may have such requests wait for each
    /// other for a moment, so that those of a node travel together.
    /// </summary>
    /// <value>False by default. It says nothing of what is granted.</value>
    public bool IsQueued { get; init; }

    /// <summary>Whether to take a lock that is free although others wait for it.</summary>
    /// <value>False by default.</value>
    public bool AllowBarging { get; init; }

    /// <summary>What is wanted of a lock that several may hold at a time.</summary>
    /// <value>Null, the default, for an exclusive lock.</value>
    public LockShare? Share { get; init; }

    /// <summary>What the owner says of itself to those who look at the lock.</summary>
    /// <value>Null, the default, for nothing.</value>
    public string? Note { get; init; }

    /// <summary>How much the owner is to be preferred, for those who look at the lock.</summary>
    /// <value>Zero by default.</value>
    public long Rank { get; init; }

    /// <summary>The scheduled time that the lock is wanted for, which is run at most once.</summary>
    /// <value>Null, the default, for none.</value>
    public Occurrence? Occurrence { get; init; }
}
