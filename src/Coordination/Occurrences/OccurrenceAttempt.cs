using Coordination.Stores;

namespace Coordination.Occurrences;

/// <summary>What came of asking for a lock, for an occurrence.</summary>
public sealed record OccurrenceAttempt
{
    /// <summary>The lease; null when there is none.</summary>
    public ILockLease? Lease { get; init; }

    /// <summary>Who holds the lock instead; null when there is a lease, when the occurrence was run already, and when the time was up.</summary>
    public LockHolder? Holder { get; init; }

    /// <summary>What the store found of the occurrence.</summary>
    /// <value><see cref="OccurrenceStatus.None"/> when the time was up.</value>
    public OccurrenceStatus Status { get; init; }

    /// <summary>The run that has or had the occurrence, where it is another one; else null.</summary>
    public string? Run { get; init; }
}
