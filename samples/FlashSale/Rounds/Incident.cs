namespace FlashSale.Rounds;

/// <summary>What happens to one holder in the middle of its sale.</summary>
internal enum Incident
{
    None,

    /// <summary>The payment takes longer than the lock lasts, and the process runs on.</summary>
    SlowPayment,

    /// <summary>The process is stopped for longer than the lock lasts.</summary>
    Pause,

    /// <summary>The same inside its transaction, when that is guarded.</summary>
    PauseInTransaction,
}
