namespace FlashSale.Stock;

/// <summary>Some items, or all of them: a number of what is left, and the ledger of what was sold.</summary>
internal interface IStockSegment
{
    /// <summary>What its lock is named after.</summary>
    string Name { get; }

    Task FillAsync(int items);

    Task<int> ReadAsync();

    /// <summary>Writes what is left and who bought, whatever happened since the number was read.</summary>
    Task WriteAsync(int left, SaleRecord sold);

    Task<IReadOnlyList<SaleRecord>> ReadLedgerAsync();

    Task ClearAsync();
}
