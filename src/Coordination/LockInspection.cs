namespace Coordination;

/// <summary>A lock as the store sees it in one moment.</summary>
public sealed record LockInspection
{
    /// <summary>The lock.</summary>
    public required string LockName { get; init; }

    /// <summary>What the lock is used as.</summary>
    /// <value>An exclusive lock by default, and where nobody uses it.</value>
    public LockCapacity Capacity { get; init; } = LockCapacity.Exclusive;

    /// <summary>Who holds it: one, or as many as its capacity lets in.</summary>
    /// <value>In the order of their grants. Empty, the default, when nobody does.</value>
    public IReadOnlyList<LockHolder> Holders { get; init; } = [];

    /// <summary>Who has held it for the longest time.</summary>
    /// <value>Null when nobody does.</value>
    public LockHolder? Holder => Holders.Count > 0 ? Holders[0] : null;

    /// <summary>The queue.</summary>
    /// <value>In the order of arrival, from its front, up to the number that was asked for. Empty by default.</value>
    public IReadOnlyList<LockWaiter> Waiters { get; init; } = [];

    /// <summary>How many places the queue has, those of dead waiters that it still remembers included.</summary>
    /// <value>Zero by default.</value>
    public long WaiterCount { get; init; }
}
