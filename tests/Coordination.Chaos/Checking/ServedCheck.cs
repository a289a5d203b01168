using Coordination.Chaos.Faults;

namespace Coordination.Chaos.Checking;

/// <summary>
/// When a lock becomes free, a waiter that nothing disturbs has it within the lease + 250 ms. Each worker that was struck meanwhile may have been passed
/// the lock before it, for a claim window; and what struck the waiter's own way to the server is counted from its end.
/// </summary>
internal static class ServedCheck
{
    private static readonly TimeSpan Grace = TimeSpan.FromMilliseconds(250);

    /// <summary>How long a client may take to be connected again.</summary>
    private static readonly TimeSpan Reconnection = TimeSpan.FromSeconds(1.5);

    public static IEnumerable<Violation> Find(RunRecord run)
    {
        if (!run.Settings.IsOurs || run.Settings.IsSchedule)
        {
            yield break;
        }

        foreach (var name in run.Locks)
        {
            var waits = run.Waits.Where(wait => wait.Lock == name).ToArray();
            var free = run.Begin;
            foreach (var grant in run.Holdings.Where(holding => holding.Lock == name).Select(holding => (holding.Granted, holding.End)).Append((run.End, run.End)))
            {
                if (grant.Item1 <= run.End && Late(run, waits, free, grant.Item1) is { } text)
                {
                    yield return new Violation(CheckKind.Served, grant.Item1, $"{name} was free at {free.TotalSeconds:F3} s and not granted before {grant.Item1.TotalSeconds:F3} s; {text}");
                }

                free = free > grant.Item2 ? free : grant.Item2;
            }
        }
    }

    private static string? Late(RunRecord run, Wait[] waits, TimeSpan free, TimeSpan granted)
    {
        if (granted - free <= run.Settings.Lease + Grace)
        {
            return null;
        }

        var struck = run.Disturbances.Where(d => d.Overlaps(free - run.Settings.RenewalInterval, granted)).ToArray();
        var bound = run.Settings.Lease + Grace + (struck.Length * run.Settings.ClaimWindow);
        foreach (var wait in waits.Where(wait => wait.From < granted && wait.To >= granted))
        {
            var since = struck.Append(null).Max(d => ReadyAfter(wait, d, free));
            var unscheduled = run.Gaps.Where(gap => gap.By == wait.By && gap.To > since && gap.From < granted).Aggregate(TimeSpan.Zero, (sum, gap) => sum + gap.Length);
            if (granted - since - unscheduled > bound)
            {
                return $"{wait.By} waited undisturbed since {since.TotalSeconds:F3} s, for {(granted - since).TotalMilliseconds:F0} ms where {bound.TotalMilliseconds:F0} ms are allowed.";
            }
        }

        return null;
    }

    /// <summary>From when on a disturbance explains no more of a wait.</summary>
    private static TimeSpan ReadyAfter(Wait wait, Disturbance? d, TimeSpan free)
    {
        var ready = d switch
        {
            null => TimeSpan.Zero,

            // Without notifications the lease is as good a bound.
            { Kind: FaultKind.Deafen } => TimeSpan.Zero,

            // Its requests may be applied until it is over, and a grant that nobody hears of lasts a lease from then.
            { IsOfConnection: true } => d.To + Reconnection,
            _ when d.Strikes(wait.Worker) => d.To,

            // Whatever another worker had when it was struck lapses from that moment.
            _ => d.From,
        };
        return new[] { ready, free, wait.From }.Max();
    }
}
