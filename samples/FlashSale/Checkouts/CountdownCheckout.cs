using FlashSale.Stock;

namespace FlashSale.Checkouts;

/// <summary>Look and write as one step on the server, and no lock: where a step is all it takes, this is the way.</summary>
internal sealed class CountdownCheckout(Cashier cashier) : ICheckout<StockKeys>
{
    public async Task<OrderResult> BuyAsync(StockKeys segment, int buyer, CancellationToken cancellationToken)
    {
        var item = await segment.TakeOneAsync(buyer);
        if (item == 0)
        {
            return OrderResult.SoldOut;
        }

        await cashier.TakePaymentAsync(item, cancellationToken);
        return OrderResult.Sold(item);
    }
}
