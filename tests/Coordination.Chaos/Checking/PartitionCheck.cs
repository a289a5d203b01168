namespace Coordination.Chaos.Checking;

/// <summary>
/// Some node leads each partition: nobody does for no longer than the lease and a second, counted from the end of the last fault meanwhile, and the longest time in which any of the processes was
/// not scheduled. And when no fault has struck for long enough, each worker leads its fair share.
/// </summary>
internal static class PartitionCheck
{
    /// <summary>How long it takes at most to learn who is there and to take over what is free.</summary>
    private static readonly TimeSpan Grace = TimeSpan.FromSeconds(1);

    /// <summary>For how long nodes may wait for others that come, before they share anew.</summary>
    private static readonly TimeSpan Settling = TimeSpan.FromSeconds(3);

    public static IEnumerable<Violation> Find(RunRecord run) => run.Settings.Partitions.Count == 0 ? [] : [.. run.Settings.Partitions.SelectMany(name => FindUnled(run, name)), .. FindShares(run)];

    /// <summary>Whether the shares at the end of a run are judged: where it was quiet for as long as the lease of what died lasts, and two looks, and some more.</summary>
    public static bool JudgesShares(RunRecord run)
    {
        var quiet = run.Settings.Lease + (2 * run.Settings.BalanceInterval) + Settling;
        return run.End - run.Begin > quiet && !run.Disturbances.Any(d => d.To > run.End - quiet);
    }

    private static IEnumerable<Violation> FindUnled(RunRecord run, string name)
    {
        var from = run.Begin;
        foreach (var (granted, end) in run.Holdings.Where(holding => holding.Lock == name).Select(holding => (holding.Granted, holding.End)).Append((run.End, run.End)))
        {
            var to = granted < run.End ? granted : run.End;
            var since = run.Disturbances.Where(d => d.Overlaps(from, to)).Select(d => d.To).Append(from).Max();
            var bound = run.Settings.Lease + Grace + run.Gaps.Select(gap => gap.By).Distinct().Select(process => run.UnscheduledOf(process, since, to)).Append(TimeSpan.Zero).Max();
            if (to - since > bound)
            {
                yield return new Violation(
                    CheckKind.Partitions,
                    to,
                    $"{name} was led by nobody from {from.TotalSeconds:F3} s to {to.TotalSeconds:F3} s, undisturbed since {since.TotalSeconds:F3} s, for {(to - since).TotalMilliseconds:F0} ms where {bound.TotalMilliseconds:F0} ms are allowed.");
            }

            from = end > from ? end : from;
        }
    }

    private static IEnumerable<Violation> FindShares(RunRecord run)
    {
        if (!JudgesShares(run))
        {
            yield break;
        }

        var (least, rest) = Math.DivRem(run.Settings.Partitions.Count, run.Settings.Workers);
        for (var i = 1; i <= run.Settings.Workers; i++)
        {
            var led = run.Holdings.Count(holding => holding.Worker == $"w{i}" && holding.Granted <= run.End && holding.End >= run.End);
            if (led < least || led > least + Math.Sign(rest))
            {
                yield return new Violation(CheckKind.Partitions, run.End, $"w{i} leads {led} of {run.Settings.Partitions.Count} partitions in the end, as one of {run.Settings.Workers}.");
            }
        }
    }
}
