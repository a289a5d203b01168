namespace Coordination.Hosting.Leadership;

/// <summary>A service on this node at one moment, for the health check.</summary>
/// <param name="Phase">What it does.</param>
/// <param name="HasJoined">Whether it has taken its place once since the start: in the queue, as a leader, or outside, where it is to stay.</param>
/// <param name="Lease">The state of its lease; null where it has none.</param>
/// <param name="Leadership">Who leads.</param>
/// <param name="InUseAs">What others use the lock as, where that is what this node waits for; else null.</param>
/// <param name="Loss">Why its lease was lost, while the work that had it has not returned; else null.</param>
internal sealed record ServiceStatus(ServicePhase Phase, bool HasJoined, LeaseState? Lease, LeadershipChange Leadership, LockCapacity? InUseAs, LeaseLossReason? Loss);
