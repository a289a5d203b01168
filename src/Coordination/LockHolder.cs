namespace Coordination;

/// <summary>Who holds a lock, as the store sees it.</summary>
public sealed record LockHolder
{
    /// <summary>The owner.</summary>
    public required LockOwner Owner { get; init; }

    /// <summary>The token of its grant.</summary>
    public required long FencingToken { get; init; }

    /// <summary>When the lock was granted, on the store's clock.</summary>
    public required DateTimeOffset Since { get; init; }

    /// <summary>How long the grant lasts if it is not renewed.</summary>
    public required TimeSpan TimeToLive { get; init; }

    /// <summary>What it holds of a lock that several may hold at a time.</summary>
    /// <value>Null, the default, for an exclusive lock.</value>
    public LockShare? Share { get; init; }

    /// <summary>The number of its permit, which no other holder of the semaphore has: from zero up.</summary>
    /// <value>Null, the default, for a lock that is no semaphore.</value>
    public int? Permit { get; init; }

    /// <summary>What the holder says of itself to those who look, as an address or a version: <see cref="LockOptions.Note"/>.</summary>
    /// <value>Null, the default, for nothing.</value>
    public string? Note { get; init; }

    /// <summary>How much the holder is to be preferred, as it says itself: <see cref="LockOptions.Rank"/>. The store orders nobody by it.</summary>
    /// <value>Zero by default.</value>
    public long Rank { get; init; }

    /// <summary>
    /// Whether the owner has released it, and nobody can have it yet because of its <see cref="LockOptions.LockAtLeastFor"/>.
    /// </summary>
    /// <value>False by default.</value>
    public bool IsReleased { get; init; }
}
