using FlashSale.Rounds;
using StackExchange.Redis;

namespace FlashSale.Stock;

/// <summary>The stock of one round, in one segment or several.</summary>
internal sealed class Warehouse(IDatabase database, string sale, int segments)
{
    public IReadOnlyList<StockSegment> Segments { get; } = [.. Enumerable.Range(0, segments).Select(number => new StockSegment(database, sale, number))];

    public static Warehouse Of(RoundPlan plan, IDatabase database) => new(database, plan.Sale, plan.Segments);

    public Task FillAsync(int items) => Task.WhenAll(Segments.Select(segment => segment.FillAsync(items / segments)));

    public Task ClearAsync() => Task.WhenAll(Segments.Select(segment => segment.ClearAsync()));

    /// <summary>What the stock says is left, which may be wrong.</summary>
    public async Task<int> ReadAsync() => (await Task.WhenAll(Segments.Select(segment => segment.ReadAsync()))).Sum();

    /// <summary>What was sold, by segment.</summary>
    public Task<IReadOnlyList<SaleRecord>[]> ReadLedgersAsync() => Task.WhenAll(Segments.Select(segment => segment.ReadLedgerAsync()));
}
