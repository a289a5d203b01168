namespace Coordination;

/// <summary>A lock as the store sees it in one moment.</summary>
public sealed record LockInspection
{
    /// <summary>The lock.</summary>
    public required string LockName { get; init; }

    /// <summary>Who holds it.</summary>
    /// <value>Null, the default, when nobody does.</value>
    public LockHolder? Holder { get; init; }

    /// <summary>The queue.</summary>
    /// <value>In the order of arrival, from its front, up to the number that was asked for. Empty by default.</value>
    public IReadOnlyList<LockWaiter> Waiters { get; init; } = [];

    /// <summary>How many places the queue has, those of dead waiters that it still remembers included.</summary>
    /// <value>Zero by default.</value>
    public long WaiterCount { get; init; }
}
