namespace Coordination.Chaos.Workers;

/// <summary>Where a worker suspends itself.</summary>
internal enum Suspension
{
    None,

    InRelease,

    InClaim,

    /// <summary>With a transaction that a lease guards open.</summary>
    InTransaction,
}
