using Coordination.Stores;

namespace Coordination.Locks;

/// <summary>What came of asking for a lock, for a fire.</summary>
/// <param name="Lease">The lease; null when there is none.</param>
/// <param name="Holder">Who holds the lock instead; null when there is a lease, when the fire was run, and when the time was up.</param>
/// <param name="Status">What the store found of the fire; none when the time was up.</param>
/// <param name="Run">The run that has or had the fire, where it is another.</param>
internal readonly record struct FireAttempt(ILockLease? Lease, LockHolder? Holder, FireStatus Status, string? Run);
