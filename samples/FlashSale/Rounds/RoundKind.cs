namespace FlashSale.Rounds;

/// <summary>How the stock is kept from being sold twice.</summary>
internal enum RoundKind
{
    NoLock,
    BasicLock,
    BasicLockOwnDeletion,
    Lease,
    FencedLease,
    Countdown,

    /// <summary>Lock and stock in PostgreSQL.</summary>
    LeaseInPostgres,

    /// <summary>The same, in transactions that the lease guards.</summary>
    GuardedLease,
}
