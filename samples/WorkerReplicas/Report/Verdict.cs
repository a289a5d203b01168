using WorkerReplicas.Ledger;

namespace WorkerReplicas.Report;

/// <summary>What the ledger's journal says about exclusion.</summary>
/// <param name="Terms">By their tokens.</param>
/// <param name="Overlaps">Pairs of terms that were worked in at the same time. Time that a process was stopped does not count: it did nothing.</param>
/// <param name="TokensThatDidNotGrow">Terms whose fencing token was not greater than all before.</param>
/// <param name="Fires">The runs of the scheduled job by the times for which they were, in order.</param>
/// <param name="Update">What the rolling update cost; null where there was none, or it did not come to its end.</param>
internal sealed record Verdict(
    IReadOnlyList<Term> Terms, IReadOnlyList<Overlap> Overlaps, IReadOnlyList<Term> TokensThatDidNotGrow, IReadOnlyList<IGrouping<DateTimeOffset, Fire>> Fires, UpdateCost? Update)
{
    public bool ExclusionHeld => Terms.Count > 0 && Overlaps.Count == 0 && TokensThatDidNotGrow.Count == 0 && FiresThatRanTwice == 0;

    public int FiresThatRanTwice => Fires.Count(runs => runs.Count() > 1);

    public int OverlapsOf(Term term) => Overlaps.Count(o => o.Earlier == term || o.Later == term);

    /// <summary>How the next term followed upon this one; null for the last, and where nothing was done to the leader.</summary>
    public Takeover? TakeoverFrom(Term term) => Takeover.Between(term, Terms.FirstOrDefault(t => t.Token > term.Token));
}
