namespace Coordination.Leases;

/// <summary>What can happen to a lease.</summary>
internal enum LeaseEvent
{
    RenewalConfirmed,
    RenewalFailed,
    Suspension,
    Loss,
    ReleaseRequest,
}
