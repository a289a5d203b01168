namespace FlashSale;

/// <summary>The size of the sale, the same in every round.</summary>
internal static class Sale
{
    public const int Items = 100;
    public const int Buyers = 1000;
    public const int Workers = 4;

    /// <summary>What happens between the look at the stock and the write, and makes the rounds with no lock go wrong.</summary>
    public static readonly TimeSpan PaymentTime = TimeSpan.FromMilliseconds(10);

    /// <summary>How long a lock lasts with no renewal, also the basic one.</summary>
    public static readonly TimeSpan Lease = TimeSpan.FromSeconds(3);

    /// <summary>One payment of some rounds: longer than the lease.</summary>
    public static readonly TimeSpan SlowPaymentTime = 1.5 * Lease;

    /// <summary>More than the whole run takes on a small and busy machine.</summary>
    public static readonly TimeSpan TimeLimit = TimeSpan.FromSeconds(180);

    /// <summary>What is left behind on a shared server by a run that was killed goes by itself.</summary>
    public static readonly TimeSpan Retention = TimeSpan.FromMinutes(10);
}
