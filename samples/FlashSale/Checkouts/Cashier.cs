using FlashSale.Rounds;
using FlashSale.Stock;
using FlashSale.Workers;

namespace FlashSale.Checkouts;

/// <summary>Takes payments, which take their time; and in one order of the round something happens.</summary>
internal sealed class Cashier(RoundPlan plan, Parent parent)
{
    private readonly TaskCompletionSource _goOn = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private int _happened;

    public async Task TakePaymentAsync(int item, CancellationToken cancellationToken)
    {
        var isSlow = plan.Incident == Incident.SlowPayment && IsTheOne(item);
        if (isSlow)
        {
            parent.Tell(new PaymentIsSlow(item));
        }

        await Task.Delay(isSlow ? Sale.SlowPaymentTime : Sale.PaymentTime, cancellationToken);
    }

    /// <summary>A moment after the last look at the lease. One holder is paused here, if this is where, and goes on when it is told to.</summary>
    public async Task ReachAsync(Incident where, SaleRecord sold, CancellationToken cancellationToken)
    {
        if (plan.Incident == where && IsTheOne(sold.Item))
        {
            parent.Tell(new AboutToWrite(sold.Item, sold.Buyer));
            await _goOn.Task.WaitAsync(cancellationToken);
        }
    }

    public void GoOn() => _goOn.TrySetResult();

    /// <summary>Once in a round, when the sale is under way.</summary>
    private bool IsTheOne(int item) => item <= plan.ItemOfIncident && Interlocked.Exchange(ref _happened, 1) == 0;
}
