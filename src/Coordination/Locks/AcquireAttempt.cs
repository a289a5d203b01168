using Coordination.Leases;
using Coordination.Stores;

namespace Coordination.Locks;

/// <summary>What came of one try to acquire a lock.</summary>
/// <param name="Lease">The lease; null when the lock was not granted.</param>
/// <param name="Reply">What the store replied.</param>
internal readonly record struct AcquireAttempt(LeaseHandle? Lease, AcquireReply Reply);
