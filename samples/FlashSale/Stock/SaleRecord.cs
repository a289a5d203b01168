using System.Globalization;

namespace FlashSale.Stock;

/// <summary>A line of the ledger: which item went to whom. The ledger is what counts, because the stock's own number may be wrong.</summary>
/// <param name="Item">The item's number in its segment: how many were left when it was sold.</param>
/// <param name="Buyer">The number of the buyer.</param>
internal readonly record struct SaleRecord(int Item, int Buyer)
{
    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{Item} {Buyer}");

    public static SaleRecord Parse(string line)
    {
        var words = line.Split(' ');
        return new SaleRecord(int.Parse(words[0], CultureInfo.InvariantCulture), int.Parse(words[1], CultureInfo.InvariantCulture));
    }
}
