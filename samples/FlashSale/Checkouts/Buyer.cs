using FlashSale.Stock;

namespace FlashSale.Checkouts;

/// <summary>Somebody who wants one item, whatever segment it is from.</summary>
internal sealed class Buyer<TSegment>(int number, Warehouse<TSegment> warehouse, ICheckout<TSegment> checkout)
    where TSegment : IStockSegment
{
    /// <summary>Buyers are spread over the segments; each goes on to the next where one is sold out.</summary>
    public async Task<OrderResult> BuyAsync(CancellationToken cancellationToken)
    {
        for (var step = 0; step < warehouse.Segments.Count; step++)
        {
            var segment = warehouse.Segments[(number + step) % warehouse.Segments.Count];

            // Sold out is for good, so it takes no lock to see that a segment further on is.
            if (step > 0 && await segment.ReadAsync() == 0)
            {
                continue;
            }

            var result = await checkout.BuyAsync(segment, number, cancellationToken);
            if (result.Outcome != OrderOutcome.SoldOut)
            {
                return result;
            }
        }

        return OrderResult.SoldOut;
    }
}
