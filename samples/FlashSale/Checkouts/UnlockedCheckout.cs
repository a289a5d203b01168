using FlashSale.Stock;

namespace FlashSale.Checkouts;

/// <summary>Look, take the payment, write: right for one buyer at a time.</summary>
internal sealed class UnlockedCheckout(Cashier cashier) : ICheckout<IStockSegment>
{
    public async Task<OrderResult> BuyAsync(IStockSegment segment, int buyer, CancellationToken cancellationToken)
    {
        var left = await segment.ReadAsync();
        if (left == 0)
        {
            return OrderResult.SoldOut;
        }

        await cashier.TakePaymentAsync(left, cancellationToken);
        await segment.WriteAsync(left - 1, new SaleRecord(left, buyer));
        return OrderResult.Sold(left);
    }
}
