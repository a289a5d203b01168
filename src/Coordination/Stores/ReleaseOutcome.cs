namespace Coordination.Stores;

/// <summary>What became of a lock that was to be released.</summary>
public enum ReleaseOutcome
{
    /// <summary>
    /// It was the owner's last entry; the lock is free, has passed to the next waiter, or is granted to nobody for the rest of
    /// <see cref="ReleaseRequest.LockAtLeastFor"/>.
    /// </summary>
    Released,

    /// <summary>The entry is out, or was not in, and the owner holds the lock by another entry.</summary>
    StillHeldByOwner,

    /// <summary>The owner does not hold the lock. If it was queued it is no more.</summary>
    NotHeld,
}
