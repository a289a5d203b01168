using FlashSale.Rounds;
using FlashSale.Stock;

namespace FlashSale.Checkouts;

/// <summary>The ways to write a sale down: what keeps out a holder that was paused, and does not know that its lock is another's.</summary>
internal static class Writings
{
    /// <summary>Nothing does.</summary>
    public static Writing<IStockSegment> Unfenced { get; } = async (segment, sold, _, _) =>
    {
        await segment.WriteAsync(sold.Item - 1, sold);
        return true;
    };

    /// <summary>The stock refuses a fencing token that is lower than one it has seen.</summary>
    public static Writing<StockKeys> Fenced { get; } = (segment, sold, lease, _) => segment.WriteFencedAsync(sold.Item - 1, sold, lease.FencingToken);

    /// <summary>The database refuses the commit.</summary>
    public static Writing<StockRows> Guarded(Cashier cashier) => (segment, sold, lease, cancellationToken) =>
        segment.WriteGuardedAsync(sold.Item - 1, sold, lease, () => cashier.ReachAsync(Incident.PauseInTransaction, sold, cancellationToken), cancellationToken);
}
