namespace Coordination;

/// <summary>A place in the queue of a lock. Calls of one process that want it in the same way share one.</summary>
public sealed record LockWaiter
{
    /// <summary>Who waits; <see cref="LockOwner.NodeId"/> names the node.</summary>
    public required LockOwner Owner { get; init; }

    /// <summary>How long it has waited, on the store's clock.</summary>
    public required TimeSpan WaitingFor { get; init; }

    /// <summary>What it wants of a lock that several may hold at a time.</summary>
    /// <value>Null, the default, for an exclusive lock.</value>
    public LockShare? Share { get; init; }

    /// <summary>What the waiter says of itself to those who look, as an address or a version: <see cref="LockOptions.Note"/>.</summary>
    /// <value>Null, the default, for nothing.</value>
    public string? Note { get; init; }

    /// <summary>How much the waiter is to be preferred, as it says itself: <see cref="LockOptions.Rank"/>. The store orders nobody by it.</summary>
    /// <value>Zero by default.</value>
    public long Rank { get; init; }

    /// <summary>Whether it has asked in time; one that has not is skipped until it asks again.</summary>
    public required bool IsAlive { get; init; }
}
