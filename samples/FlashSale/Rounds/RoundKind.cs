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
}
