using System.Collections.Immutable;

namespace Coordination.Stores;

/// <summary>
/// All that a store remembers of one lock, as a document that never changes: <see cref="LockProtocol"/> makes the next one of it. For
/// authors of stores that can replace a document atomically.
/// </summary>
/// <remarks>
/// Every moment in it is one of the store's own clock. It is made of plain values, so any serializer can write it. What a newer version
/// adds has a default, which is what an older version meant.
/// </remarks>
public sealed record LockState
{
    /// <summary>The state of a lock of which nothing is known.</summary>
    public static LockState Empty { get; } = new();

    /// <summary>What the lock was used as last: whoever uses it in another way has to wait until nobody uses it.</summary>
    /// <value>An exclusive lock by default.</value>
    public LockCapacity Capacity { get; init; } = LockCapacity.Exclusive;

    /// <summary>Who has the lock: one, or as many as its capacity lets in.</summary>
    /// <value>In the order of the grants. Empty, the default, when it is free. Those that have run out may still stand here: <see cref="LockProtocol"/> knows.</value>
    public ImmutableArray<LockGrant> Grants { get; init => field = value.IsDefault ? [] : value; } = [];

    /// <summary>The fencing token of the last grant. The next one is greater, and no smaller than the time in microseconds since 1970.</summary>
    /// <value>
    /// Zero by default. Whoever drops a state that is empty remembers this elsewhere, or drops it only when
    /// <see cref="LockProtocol.MayForget"/> says so: else a clock that was set back gives a token twice.
    /// </value>
    public long LastToken { get; init; }

    /// <summary>The queue, in the order of arrival, dead waiters included.</summary>
    /// <value>Empty by default.</value>
    public ImmutableArray<QueuedWaiter> Waiters { get; init => field = value.IsDefault ? [] : value; } = [];

    /// <summary>Grants that an operator revoked, for as long as their leases would have lasted.</summary>
    /// <value>Empty by default.</value>
    public ImmutableArray<RevokedGrant> Revoked { get; init => field = value.IsDefault ? [] : value; } = [];

    /// <summary>The last occurrence of each series that the lock was granted for, and what is remembered of those before it.</summary>
    /// <value>Empty by default.</value>
    public ImmutableArray<LastOccurrence> Occurrences { get; init => field = value.IsDefault ? [] : value; } = [];
}
