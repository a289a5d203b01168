using WorkerReplicas.Ledger;
using WorkerReplicas.Orchestration;

namespace WorkerReplicas.Report;

/// <summary>Judges a run by what the replicas said and did, and by nothing that the lock's own code says.</summary>
internal static class Judge
{
    public static Verdict Examine(IReadOnlyList<Term> terms, IReadOnlyList<Fire> fires, CompletedUpdate? update, TimeSpan endOfRun)
    {
        var overlaps =
            from first in terms
            from second in terms
            where first.BeganAt < second.BeganAt || (first.BeganAt == second.BeganAt && first.Token < second.Token)
            let both = Earlier(first.ActiveUntil(endOfRun), second.ActiveUntil(endOfRun)) - second.BeganAt
            where both > TimeSpan.Zero
            select new Overlap(first, second, both);

        return new Verdict(
            [.. terms.OrderBy(t => t.Token)],
            [.. overlaps],
            [.. terms.Where(t => !t.TokenGrew)],
            [.. fires.GroupBy(f => f.Time).OrderBy(runs => runs.Key)],
            update is null ? null : new UpdateCost(update.Replicas, [.. terms.Where(t => t.BeganAt < endOfRun && (t.EndedAt ?? endOfRun) > update.BeganAt)]));
    }

    private static TimeSpan Earlier(TimeSpan a, TimeSpan b) => a < b ? a : b;
}
