namespace Coordination.Stores;

/// <summary>A request to extend one lock.</summary>
public readonly record struct RenewalRequest
{
    /// <summary>The lock.</summary>
    /// <value>A name that was checked.</value>
    public required string LockName { get; init; }

    /// <summary>Who holds it.</summary>
    public required LockOwner Owner { get; init; }

    /// <summary>How long the lock is to last from now on with no further renewal.</summary>
    public required TimeSpan LeaseDuration { get; init; }

    /// <summary>The token of the grant: the same owner may have been granted the lock anew.</summary>
    /// <value>Null, the default, for whichever grant of the owner it is.</value>
    public long? FencingToken { get; init; }

    /// <summary>
    /// The entry that asks, always for the same duration. Where the owner has no other, the lock lasts for that from now on, also where another entry, which was left
    /// since, had asked for more.
    /// </summary>
    /// <value>Null, the default, for one that shortens no lease.</value>
    public long? Entry { get; init; }

    /// <summary>What is held of a lock that several may hold at a time.</summary>
    /// <value>Null, the default, for an exclusive lock.</value>
    public LockShare? Share { get; init; }

    /// <summary>What the entry said of itself when it was asked for: <see cref="AcquireRequest.Note"/>. A store may tell entries apart by it.</summary>
    /// <value>Null, the default, for nothing.</value>
    public string? Note { get; init; }

    /// <summary>The <see cref="AcquireRequest.Rank"/> of the entry, for the same.</summary>
    /// <value>Zero by default.</value>
    public long Rank { get; init; }

    /// <summary>The wait that the lock was handed over to, and that this claims it for: it leaves the queue. No lease is shortened by it.</summary>
    /// <value>Null, the default, for a lease that was granted or is claimed already.</value>
    public long? ClaimedEntry { get; init; }
}
