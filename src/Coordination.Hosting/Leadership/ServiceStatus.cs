namespace Coordination.Hosting.Leadership;

/// <summary>A service on this node at one moment, for the health check.</summary>
internal sealed record ServiceStatus(ServicePhase Phase, LeaseState? Lease, LeadershipChange Leadership);
