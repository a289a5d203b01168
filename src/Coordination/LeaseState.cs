namespace Coordination;

/// <summary>The states of a lease.</summary>
public enum LeaseState
{
    /// <summary>Granted, and the last renewal was confirmed.</summary>
    Held,

    /// <summary>Renewals are failing, and the deadline has not come: the lease still holds.</summary>
    InDoubt,

    /// <summary>The lease can no longer be relied on. Final.</summary>
    Lost,

    /// <summary>Released by its holder. Final.</summary>
    Released,
}
