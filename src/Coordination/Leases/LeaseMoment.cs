namespace Coordination.Leases;

/// <summary>All that changes of a lease, as it is in one moment. Replaced as a whole, so that what is read of it fits together.</summary>
/// <param name="State">The state.</param>
/// <param name="Deadline">Until when it can be relied on.</param>
/// <param name="NextRenewal">When it is renewed next.</param>
/// <param name="Renewal">The renewal under way; null for none.</param>
/// <param name="IsStalled">Whether a renewal that was due was not made, because no progress was reported.</param>
/// <param name="LossReason">Why it was lost; null while it is not.</param>
internal sealed record LeaseMoment(LeaseState State, Deadline Deadline, TimeSpan NextRenewal, Task<bool>? Renewal = null, bool IsStalled = false, LeaseLossReason? LossReason = null)
{
    public bool IsActive => State is LeaseState.Held or LeaseState.InDoubt;
}
