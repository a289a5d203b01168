namespace Coordination;

/// <summary>What a release found.</summary>
public enum ReleaseResult
{
    /// <summary>The lock was this owner's, and is free or has passed to the next waiter.</summary>
    Released,

    /// <summary>This entry is released; the owner holds the lock by another entry still.</summary>
    StillHeldByOwner,

    /// <summary>This lease was released before.</summary>
    AlreadyReleased,

    /// <summary>The lock was not this owner's any more. Nothing was touched.</summary>
    NotHeld,

    /// <summary>The store could not be asked. If the lock is still this owner's there, it lapses by itself within the lease duration.</summary>
    Unknown,
}
