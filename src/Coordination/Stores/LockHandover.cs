namespace Coordination.Stores;

/// <summary>What a waiter has to know of a lock that was handed over to it, in order to hold it before it has claimed it.</summary>
public sealed record LockHandover
{
    /// <summary>The entry of the wait: an older or a newer wait of the same owner does not hold the lock by it.</summary>
    public required long Entry { get; init; }

    /// <summary>The token of the grant.</summary>
    public required long FencingToken { get; init; }

    /// <summary>The number of the permit.</summary>
    /// <value>Null, the default, for a lock that is no semaphore.</value>
    public int? Permit { get; init; }

    /// <summary>When the lock was handed over, on the store's clock, which <see cref="AcquireReply.StoreTime"/> is of as well.</summary>
    public required DateTimeOffset At { get; init; }

    /// <summary>Which of the store's clocks <see cref="At"/> is of, as <see cref="AcquireReply.StoreClock"/>. A waiter that asked by another clock claims the lock before it holds it.</summary>
    /// <value>Zero, the default, of a store with one clock.</value>
    public long StoreClock { get; init; }

    /// <summary>How long from then on it stays handed over without being claimed.</summary>
    public required TimeSpan ClaimWindow { get; init; }
}
