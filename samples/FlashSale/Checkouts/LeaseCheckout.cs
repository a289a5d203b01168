using Coordination;
using FlashSale.Rounds;
using FlashSale.Stock;
using SampleKit.Processes;

namespace FlashSale.Checkouts;

/// <summary>
/// The same under this project's lock: it is renewed for as long as the holder runs, waiters are told when it is theirs, and the payment
/// enters it again. What keeps out a holder that was paused, and does not know, is how the sale is written down.
/// </summary>
internal sealed class LeaseCheckout<TSegment>(ILockProvider locks, LockOptions options, Writing<TSegment> write, Cashier cashier, Tally tally) : ICheckout<TSegment>
    where TSegment : IStockSegment
{
    public async Task<OrderResult> BuyAsync(TSegment segment, int buyer, CancellationToken cancellationToken)
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
        var sold = new SaleRecord(left, buyer);
        await cashier.ReachAsync(Incident.Pause, sold, cancellationToken);
        return await write(segment, sold, lease, cancellationToken) ? OrderResult.Sold(left) : OrderResult.Refused;
    }

    /// <summary>Takes the lock, because no payment is made without it, whoever asks: here the caller, who passed its owner on, has it already.</summary>
    private async Task TakePaymentAsync(ILock stockLock, int item, CancellationToken cancellationToken)
    {
        await using var lease = await stockLock.AcquireAsync(cancellationToken);
        tally.CountReentry();
        await cashier.TakePaymentAsync(item, cancellationToken);
    }
}
