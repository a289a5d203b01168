using FlashSale.Stock;

namespace FlashSale.Checkouts;

/// <summary>A way to sell one item of a segment to one buyer.</summary>
/// <typeparam name="TSegment">What it needs of the stock.</typeparam>
internal interface ICheckout<in TSegment>
    where TSegment : IStockSegment
{
    Task<OrderResult> BuyAsync(TSegment segment, int buyer, CancellationToken cancellationToken);
}
