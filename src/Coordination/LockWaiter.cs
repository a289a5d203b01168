namespace Coordination;

/// <summary>A place in the queue of a lock. Calls of one process that want it in the same way share one.</summary>
public sealed record LockWaiter
{
    /// <summary>Who waits; <see cref="LockOwner.NodeId"/> names the node.</summary>
    public required LockOwner Owner { get; init; }

    /// <summary>How long it has waited, on the store's clock.</summary>
    public required TimeSpan WaitingFor { get; init; }

    /// <summary>What it wants of a lock that several may hold at a time.</summary>
    /// <value>Null, the default, for an exclusive lock, and where the store has lost it: then the waiter counts for nothing until it asks again.</value>
    public LockShare? Share { get; init; }

    /// <summary>Whether it has asked in time; one that has not is skipped until it asks again.</summary>
    public required bool IsAlive { get; init; }
}
