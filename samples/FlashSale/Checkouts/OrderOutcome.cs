namespace FlashSale.Checkouts;

internal enum OrderOutcome
{
    Sold,
    SoldOut,

    /// <summary>The buyer is sent away: the lock was lost on the way, or the stock or the database refused the write.</summary>
    Refused,
}
