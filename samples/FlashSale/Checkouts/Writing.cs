using Coordination;
using FlashSale.Stock;

namespace FlashSale.Checkouts;

/// <summary>How a sale is written down.</summary>
/// <typeparam name="TSegment">What it needs of the stock.</typeparam>
/// <param name="segment">The stock.</param>
/// <param name="sold">What was sold, to whom.</param>
/// <param name="lease">What the seller believes to hold.</param>
/// <param name="cancellationToken">Breaks it off.</param>
/// <returns>Whether the stock took it.</returns>
internal delegate Task<bool> Writing<in TSegment>(TSegment segment, SaleRecord sold, ILease lease, CancellationToken cancellationToken)
    where TSegment : IStockSegment;
