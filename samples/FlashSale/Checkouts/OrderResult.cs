namespace FlashSale.Checkouts;

/// <summary>What a buyer is told.</summary>
/// <param name="Outcome">How it went.</param>
/// <param name="Item">The item that was sold; else 0.</param>
internal readonly record struct OrderResult(OrderOutcome Outcome, int Item)
{
    public static readonly OrderResult SoldOut = new(OrderOutcome.SoldOut, 0);
    public static readonly OrderResult Refused = new(OrderOutcome.Refused, 0);

    public static OrderResult Sold(int item) => new(OrderOutcome.Sold, item);
}
