using Coordination.Stores;

namespace Coordination.Occurrences;

/// <summary>What came of asking for a lock, for an occurrence.</summary>
/// <param name="Lease">The lease; null when there is none.</param>
/// <param name="Holder">Who holds the lock instead; null when there is a lease, when the occurrence was run, and when the time was up.</param>
/// <param name="Status">What the store found of the occurrence; none when the time was up.</param>
/// <param name="Run">The run that has or had the occurrence, where it is another.</param>
internal readonly record struct OccurrenceAttempt(ILockLease? Lease, LockHolder? Holder, OccurrenceStatus Status, string? Run);
