using WorkerReplicas.Ledger;

namespace WorkerReplicas.Report;

/// <summary>What a rolling update cost.</summary>
/// <param name="Replicas">How many were replaced.</param>
/// <param name="Terms">Those that lasted when it began, or began in its course.</param>
internal sealed record UpdateCost(int Replicas, IReadOnlyList<Term> Terms)
{
    /// <summary>That of the leader of the old version, and one of the new: however many there are, and whoever is stopped first.</summary>
    public const int MaxTerms = 2;

    public bool IsWithinLimit => Terms.Count <= MaxTerms;
}
