using Coordination.Stores;

namespace Coordination.Resilience;

/// <summary>How a call to the store is made.</summary>
/// <param name="Call">What it is.</param>
/// <param name="LockName">The lock that it is for; of several, one of the same partition. Null for a question of an operator: it says nothing of whether locks are granted, and waits at no gate.</param>
/// <param name="Limit">How long one attempt may take.</param>
internal readonly record struct CallPlan(StoreCall Call, string? LockName, TimeSpan Limit)
{
    /// <summary>The moment when the last attempt ends; null for none.</summary>
    public TimeSpan? EndsAt { get; init; }

    /// <summary>How long an attempt waits at the gate while the store is away, where no moment ends it; may be infinite.</summary>
    public TimeSpan Patience { get; init; }

    /// <summary>Whether it tries once, and gives up soon after it has learned that the store is away.</summary>
    public bool IsTry { get; init; }

    /// <summary>Whether the attempt before this one found the lock busy: one that gets no reply waits for the same, which is no outage.</summary>
    public bool FoundBusy { get; init; }

    /// <summary>When its caller leaves, what it has sent going on without it: it is known that the store is away. Null for not before the reply.</summary>
    public TimeSpan? LeavesAt { get; init; }

    /// <summary>Whether to go on where the caller is.</summary>
    public bool ContinueOnCapturedContext { get; init; }

    /// <summary>The shard whose gate an attempt passed: its outcome is told there, wherever the lock has moved meanwhile. Null when no gate was closed.</summary>
    public int? Shard { get; init; }

    /// <summary>Counts its sends; null where nobody asks.</summary>
    public Sending? Sending { get; init; }
}
