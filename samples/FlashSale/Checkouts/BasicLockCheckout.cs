using FlashSale.Locking;
using FlashSale.Rounds;
using FlashSale.Stock;
using SampleKit.Processes;
using StackExchange.Redis;

namespace FlashSale.Checkouts;

/// <summary>The same under a basic lock: right as long as nobody takes longer than the lock lasts.</summary>
internal sealed class BasicLockCheckout(IDatabase database, bool deleteOnlyOwn, Cashier cashier, Tally tally) : ICheckout<IStockSegment>
{
    public async Task<OrderResult> BuyAsync(IStockSegment segment, int buyer, CancellationToken cancellationToken)
    {
        var stockLock = new BasicLock(database, segment.Name, deleteOnlyOwn);
        var asked = MonotonicClock.Now;
        await stockLock.AcquireAsync(cancellationToken);
        tally.CountWait(MonotonicClock.Now - asked);
        try
        {
            var left = await segment.ReadAsync();
            if (left == 0)
            {
                return OrderResult.SoldOut;
            }

            await cashier.TakePaymentAsync(left, cancellationToken);
            var sold = new SaleRecord(left, buyer);
            await cashier.ReachAsync(Incident.Pause, sold, cancellationToken);
            await segment.WriteAsync(left - 1, sold);
            return OrderResult.Sold(left);
        }
        finally
        {
            if (!await stockLock.ReleaseAsync())
            {
                tally.CountForeignDeletion();
            }
        }
    }
}
