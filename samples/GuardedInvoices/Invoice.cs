namespace GuardedInvoices;

/// <summary>An invoice. Tax law wants its numbers with no gap, and each once; nothing in the table sees to it: no index, and no column for a fencing token.</summary>
internal sealed class Invoice
{
    public int Id { get; set; }

    public required int Number { get; set; }

    public required string Customer { get; set; }

    public required string WrittenBy { get; set; }
}
