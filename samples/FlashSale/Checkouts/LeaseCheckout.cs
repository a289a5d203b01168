using Coordination;
using FlashSale.Stock;
using SampleKit.Processes;

namespace FlashSale.Checkouts;

/// <summary>
/// The same under this project's lock: it is renewed for as long as the holder runs, waiters are told when it is theirs, and the payment
/// enters it again. With the fencing token on the write, the stock itself keeps out a holder that was paused and does not know.
/// </summary>
internal sealed class LeaseCheckout(ILockProvider locks, LockOptions options, bool isFenced, Cashier cashier, Tally tally) : ICheckout
{
    public async Task<OrderResult> BuyAsync(StockSegment segment, int buyer, CancellationToken cancellationToken)
    {
        var stockLock = locks.GetLock(segment.Name, options);
        var asked = MonotonicClock.Now;
        await using var lease = await stockLock.AcquireAsync(cancellationToken);
        tally.CountWait(MonotonicClock.Now - asked);

        var left = await segment.ReadAsync();
        if (left == 0)
        {
            return OrderResult.SoldOut;
        }

        await TakePaymentAsync(stockLock.WithOwner(lease.Owner), left, cancellationToken);
        if (lease.Lost.IsCancellationRequested)
        {
            return OrderResult.Refused;
        }

        // However late the last look at the lease is: a process can be paused right after it.
        await cashier.BeforeWriteAsync(left, buyer, cancellationToken);

        var sold = new SaleRecord(left, buyer);
        if (isFenced)
        {
            return await segment.WriteFencedAsync(left - 1, sold, lease.FencingToken) ? OrderResult.Sold(left) : OrderResult.Refused;
        }

        await segment.WriteAsync(left - 1, sold);
        return OrderResult.Sold(left);
    }

    /// <summary>Takes the lock, because no payment is made without it, whoever asks: here the caller, who passed its owner on, has it already.</summary>
    private async Task TakePaymentAsync(ILock stockLock, int item, CancellationToken cancellationToken)
    {
        await using var lease = await stockLock.AcquireAsync(cancellationToken);
        tally.CountReentry();
        await cashier.TakePaymentAsync(item, cancellationToken);
    }
}
