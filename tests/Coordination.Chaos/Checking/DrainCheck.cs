using Coordination.Chaos.Faults;

namespace Coordination.Chaos.Checking;

/// <summary>
/// A node that is drained leads nothing new, gives away what it leads within a second, and says so soon after that, and not before. The time in which its process is not scheduled comes on top;
/// and as it gives away one lock after the other, each with a release, what strikes its way to the server excuses that it takes longer. Nothing excuses that it leads something new.
/// </summary>
internal static class DrainCheck
{
    /// <summary>How long work may take to begin that was about to when the node was drained.</summary>
    private static readonly TimeSpan Beginning = TimeSpan.FromMilliseconds(250);

    private static readonly TimeSpan GivingAway = TimeSpan.FromSeconds(1);

    /// <summary>Work whose lease is lost takes two margins to return.</summary>
    private static readonly TimeSpan Saying = TimeSpan.FromSeconds(2);

    public static IEnumerable<Violation> Find(RunRecord run) => run.Drains.SelectMany(drain => Find(run, drain));

    private static IEnumerable<Violation> Find(RunRecord run, Drain drain)
    {
        foreach (var holding in run.Holdings.Where(holding => holding.By == drain.By && holding.Granted < drain.To && holding.End > drain.From))
        {
            if (holding.Granted > LimitOf(run, drain, Beginning))
            {
                yield return new Violation(CheckKind.Drain, holding.Granted, $"{holding} began while the node was drained, from {drain.From.TotalSeconds:F3} s on.");
            }
            else if (IsLate(run, drain, holding.End, GivingAway))
            {
                yield return new Violation(CheckKind.Drain, holding.Granted, $"{holding} was not given away within a second, where the node was drained from {drain.From.TotalSeconds:F3} s on.");
            }

            if (holding.Granted < drain.Drained && holding.End > drain.Drained)
            {
                yield return new Violation(CheckKind.Drain, drain.Drained.Value, $"The node said at {drain.Drained.Value.TotalSeconds:F3} s that it leads nothing, beside {holding}.");
            }
        }

        if (IsLate(run, drain, drain.Drained ?? TimeSpan.MaxValue, Saying))
        {
            yield return new Violation(CheckKind.Drain, drain.From, $"{drain.By} was drained from {drain.From.TotalSeconds:F3} s on, and {(drain.Drained is { } at ? $"said at {at.TotalSeconds:F3} s" : "never said")} that it leads nothing.");
        }
    }

    private static bool IsLate(RunRecord run, Drain drain, TimeSpan at, TimeSpan length)
    {
        var limit = LimitOf(run, drain, length);
        var worker = RunRecord.WorkerOf(drain.By);
        return at > limit
            && drain.To > limit
            && run.End > limit
            && !run.Disturbances.Any(d => (d.IsOfConnection || d.Kind == FaultKind.Terminate) && d.Strikes(worker) && d.Overlaps(drain.From - run.Settings.Lease, limit));
    }

    private static TimeSpan LimitOf(RunRecord run, Drain drain, TimeSpan length)
    {
        var limit = drain.From + length;
        for (var before = TimeSpan.Zero; limit != before;)
        {
            (before, limit) = (limit, drain.From + length + run.UnscheduledOf(drain.By, drain.From, limit));
        }

        return limit;
    }
}
