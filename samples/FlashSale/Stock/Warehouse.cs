namespace FlashSale.Stock;

/// <summary>The stock of one round, in one segment or several.</summary>
internal sealed class Warehouse<TSegment>(IReadOnlyList<TSegment> segments)
    where TSegment : IStockSegment
{
    public IReadOnlyList<TSegment> Segments => segments;

    public Task FillAsync(int items) => Task.WhenAll(Segments.Select(segment => segment.FillAsync(items / segments.Count)));

    public Task ClearAsync() => Task.WhenAll(Segments.Select(segment => segment.ClearAsync()));

    /// <summary>What the stock says is left, which may be wrong.</summary>
    public async Task<int> ReadAsync() => (await Task.WhenAll(Segments.Select(segment => segment.ReadAsync()))).Sum();

    /// <summary>What was sold, by segment.</summary>
    public Task<IReadOnlyList<SaleRecord>[]> ReadLedgersAsync() => Task.WhenAll(Segments.Select(segment => segment.ReadLedgerAsync()));
}
