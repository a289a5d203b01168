using FlashSale.Stock;

namespace FlashSale.Checkouts;

/// <summary>A way to sell one item of a segment to one buyer.</summary>
internal interface ICheckout
{
    Task<OrderResult> BuyAsync(StockSegment segment, int buyer, CancellationToken cancellationToken);
}
