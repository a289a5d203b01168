namespace Coordination.Leases;

/// <summary>What becomes of a lease when something happens to it.</summary>
internal static class LeaseTransitions
{
    /// <returns>The state after it; null when it changes nothing, as for a lease that has ended.</returns>
    public static LeaseState? Next(LeaseState state, LeaseEvent leaseEvent) => (state, leaseEvent) switch
    {
        (LeaseState.Held, LeaseEvent.RenewalConfirmed) => LeaseState.Held,
        (LeaseState.Held, LeaseEvent.RenewalFailed) => LeaseState.InDoubt,
        (LeaseState.Held, LeaseEvent.Suspension) => LeaseState.InDoubt,
        (LeaseState.Held, LeaseEvent.Loss) => LeaseState.Lost,
        (LeaseState.Held, LeaseEvent.ReleaseRequest) => LeaseState.Released,
        (LeaseState.InDoubt, LeaseEvent.RenewalConfirmed) => LeaseState.Held,
        (LeaseState.InDoubt, LeaseEvent.RenewalFailed) => LeaseState.InDoubt,
        (LeaseState.InDoubt, LeaseEvent.Suspension) => LeaseState.InDoubt,
        (LeaseState.InDoubt, LeaseEvent.Loss) => LeaseState.Lost,
        (LeaseState.InDoubt, LeaseEvent.ReleaseRequest) => LeaseState.Released,
        _ => null,
    };
}
