using Coordination.Chaos.Faults;

namespace Coordination.Chaos.Checking;

/// <summary>
/// When there is room for what a waiter wants and for all who are to be served before it, one of them is served: what nothing disturbs has it within the lease + 250 ms. Each worker that was struck meanwhile may have been passed
/// the lock before it, for a claim window; and what struck the waiter's own way to the server is counted from its end.
/// </summary>
internal static class ServedCheck
{
    private static readonly TimeSpan Grace = TimeSpan.FromMilliseconds(250);

    /// <summary>How much later one has to come than another, to stand behind it.</summary>
    private static readonly TimeSpan Lead = TimeSpan.FromMilliseconds(250);

    /// <summary>How long a client may take to be connected again.</summary>
    private static readonly TimeSpan Reconnection = TimeSpan.FromSeconds(1.5);

    public static IEnumerable<Violation> Find(RunRecord run)
    {
        if (!run.Settings.Serves)
        {
            yield break;
        }

        foreach (var name in run.Locks)
        {
            var waits = run.Waits.Where(wait => wait.Lock == name).ToArray();
            var before = run.Begin;
            var held = new List<Holding>();
            foreach (var (granted, next) in run.Holdings.Where(holding => holding.Lock == name).Select(holding => (holding.Granted, (Holding?)holding)).Append((run.End, null)))
            {
                held.RemoveAll(holding => holding.End <= before);
                if (granted <= run.End && Late(run, waits, held, before, granted) is { } text)
                {
                    yield return new Violation(CheckKind.Served, granted, $"{name} was not granted from {before.TotalSeconds:F3} s to {granted.TotalSeconds:F3} s; {text}");
                }

                before = granted > before ? granted : before;
                if (next is not null)
                {
                    held.Add(next);
                }
            }
        }
    }

    private static string? Late(RunRecord run, Wait[] waits, IReadOnlyCollection<Holding> held, TimeSpan before, TimeSpan granted)
    {
        if (granted - before <= run.Settings.Lease + Grace)
        {
            return null;
        }

        foreach (var wait in waits.Where(wait => wait.From < granted && wait.To >= granted))
        {
            var free = FreeFrom(wait, waits, held, before);
            var struck = run.Disturbances.Where(d => d.Overlaps(free - run.Settings.RenewalInterval, granted)).ToArray();
            var since = struck.Append(null).Max(d => ReadyAfter(wait, d, free));

            var bound = run.Settings.Lease + Grace + (struck.Length * run.Settings.ClaimWindow);
            var unscheduled = run.Gaps.Where(gap => gap.By == wait.By && gap.To > since && gap.From < granted).Aggregate(TimeSpan.Zero, (sum, gap) => sum + gap.Length);
            if (granted - since - unscheduled > bound)
            {
                return $"{wait.By} waited undisturbed since {since.TotalSeconds:F3} s, for {(granted - since).TotalMilliseconds:F0} ms where {bound.TotalMilliseconds:F0} ms are allowed.";
            }
        }

        return null;
    }

    /// <summary>From when on there is room for a waiter and for those who may be served before it.</summary>
    private static TimeSpan FreeFrom(Wait wait, Wait[] waits, IReadOnlyCollection<Holding> held, TimeSpan before)
    {
        Wait[] first = [.. waits.Where(other => other == wait || (other.To > before && (other.IsUpgrade || other.From < wait.From + Lead)))];
        var (free, rest) = (before, new List<Holding>());
        foreach (var holding in held.OrderByDescending(holding => holding.End))
        {
            // All who hold it until this one's end.
            rest.Add(holding);
            foreach (var hindered in first.Where(other => !other.Fits(rest)))
            {
                var until = hindered.To < holding.End ? hindered.To : holding.End;
                free = until > free ? until : free;
            }
        }

        return free;
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
