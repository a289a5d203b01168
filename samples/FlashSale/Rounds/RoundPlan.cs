namespace FlashSale.Rounds;

/// <summary>What one worker is told about a round.</summary>
/// <param name="Sale">The first part of the names of keys and locks, new for each round.</param>
/// <param name="Kind">How the stock is kept from being sold twice.</param>
/// <param name="Segments">In how many parts the stock is kept.</param>
/// <param name="FirstBuyer">The number of the worker's first buyer.</param>
/// <param name="Buyers">How many of them there are.</param>
/// <param name="Incident">What happens to one holder of this worker.</param>
/// <param name="UseSignals">Whether a pause is a real one; else the lock is let run out while its holder goes on.</param>
internal sealed record RoundPlan(string Sale, RoundKind Kind, int Segments, int FirstBuyer, int Buyers, Incident Incident, bool UseSignals)
{
    /// <summary>When a tenth of a segment is sold.</summary>
    public int ItemOfIncident => FlashSale.Sale.Items / Segments * 9 / 10;
}
