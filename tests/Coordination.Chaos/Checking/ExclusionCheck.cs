using Coordination.Chaos.Contenders;
using Coordination.Chaos.Faults;

namespace Coordination.Chaos.Checking;

/// <summary>
/// No more processes believe to hold a lock at the same time than it bears, and no two the same permit. Two things may make it so, and each only until the earlier holder could know: it was not
/// scheduled for so long that its lease ran out, until it ran again and looked; and the server lost the lock, until the earlier holder's next renewal.
/// </summary>
internal sealed class ExclusionCheck(RunRecord run)
{
    /// <summary>How long a process that runs again may take to look.</summary>
    private static readonly TimeSpan Look = TimeSpan.FromMilliseconds(100);

    public int OverlapsOfPaused { get; private set; }

    public int OverlapsAfterLoss { get; private set; }

    public IEnumerable<Violation> Find()
    {
        foreach (var holdings in run.Holdings.GroupBy(holding => holding.Lock))
        {
            var before = new List<Holding>();
            foreach (var later in holdings.OrderBy(holding => holding.Granted))
            {
                before.RemoveAll(holding => holding.End <= later.Granted);
                foreach (var earlier in before.Where(later.Excludes))
                {
                    if (Judge(earlier, later) is { } text)
                    {
                        yield return new Violation(CheckKind.Exclusion, later.Granted, text);
                    }
                }

                before.Add(later);
                foreach (var text in later.Share == LockShareKind.Permit ? JudgePermits(before, later, Capacities.Of(later.Lock).Permits) : [])
                {
                    yield return new Violation(CheckKind.Exclusion, later.Granted, text);
                }
            }
        }

        foreach (var holding in run.Holdings)
        {
            foreach (var loss in run.Disturbances.Where(d => d.IsCertain && d.MayLose(holding.Lock) && d.From > holding.Granted && holding.End > KnowsBy(holding, d)))
            {
                yield return new Violation(CheckKind.Exclusion, loss.To, $"{holding} was not told that the server had lost the lock by {loss.Kind} at {loss.To.TotalSeconds:F3} s.");
            }
        }
    }

    private string? Judge(Holding earlier, Holding later)
    {
        // By the token, the one that was told first may be the one that was granted later: its own reply was slow.
        if (earlier.Token > later.Token)
        {
            (earlier, later) = (later, earlier);
        }

        var overlap = $"{earlier} and {later} overlap for {(Min(earlier.End, later.End) - later.Granted).TotalMilliseconds:F0} ms";
        var losses = LossesOf(earlier, later).ToArray();
        if (losses.Length > 0)
        {
            OverlapsAfterLoss++;
            return losses.Any(loss => earlier.End <= KnowsBy(earlier, loss)) ? null : $"{overlap}; the earlier holder was not told at its next renewal that the server had lost the lock.";
        }

        if (MarginOfPaused(earlier, later.GrantedByServer) is { } margin)
        {
            OverlapsOfPaused++;

            // Had it been scheduled all the time, it would have given up when the margin began.
            var deadline = later.GrantedByServer - margin;
            var late = earlier.End - run.UnscheduledOf(earlier.By, deadline, earlier.End) - deadline;
            return late <= Look ? null : $"{overlap}; the earlier holder went on believing for {late.TotalMilliseconds:F0} ms in which it was scheduled.";
        }

        return overlap + ".";
    }

    /// <summary>
    /// Judges those who believe at a moment to hold permits of a semaphore. Those that the server may have counted no more when it granted the last of them
    /// are judged with whoever has their permit next.
    /// </summary>
    private IEnumerable<string> JudgePermits(List<Holding> held, Holding later, int permits)
    {
        if (later.Permit is not { } permit || permit < 0 || permit >= permits)
        {
            yield return $"{later} is none of the permits 0 to {permits - 1}.";
        }

        var last = held.MaxBy(holding => holding.Token)!;
        if (held.Count > permits && held.Count(holding => holding == last || !(LossesOf(holding, last).Any() || MarginOfPaused(holding, last.GrantedByServer) is not null)) > permits)
        {
            yield return $"{held.Count} have one of {permits} permits: {string.Join(", ", held)}.";
        }
    }

    private IEnumerable<Disturbance> LossesOf(Holding earlier, Holding later) =>
        run.Disturbances.Where(d => d.MayLose(earlier.Lock) && d.To >= earlier.GrantedNoEarlier && d.From <= later.Granted);

    /// <summary>
    /// Whether a holder was not scheduled when the server granted its lock to another, and what it had could have run out by then: the lease, for want of renewals or because those did not
    /// arrive; or, of one that had the lock by a handover, the claim window, for want of a claim.
    /// </summary>
    /// <returns>How long before the other grant it would have been told; null where it was scheduled, or what it had could not have run out.</returns>
    private TimeSpan? MarginOfPaused(Holding holding, TimeSpan granted)
    {
        var (lease, margin, window) = (run.Settings.Lease, run.Settings.Margin, run.Settings.ClaimWindow);
        if (run.GapOf(holding.By, granted - margin, granted) is not null
            && (run.UnscheduledOf(holding.By, granted - lease, granted) > LongestHarmless(lease)
                || run.Disturbances.Any(d => d.IsOfConnection && d.Strikes(holding.Worker) && d.Overlaps(granted - lease, granted))))
        {
            return margin;
        }

        // It was to claim the lock within the window, and so as often as it is renewed within a lease: one that was scheduled for long enough did, and then has a lease.
        var (since, ofWindow) = (holding.GrantedByServer, margin * (window / lease));
        return run.Settings.IsOurs
            && granted - since >= window
            && granted - since < lease
            && run.GapOf(holding.By, granted - ofWindow, granted) is not null
            && run.UnscheduledOf(holding.By, since, since + window) > LongestHarmless(window)
            ? ofWindow
            : null;
    }

    /// <summary>For how long a holder may not be scheduled before what it has can run out.</summary>
    /// <param name="lasts">How long what it has lasts with no renewal; that is renewed in parts of it, and given up by a part of it before its end.</param>
    private TimeSpan LongestHarmless(TimeSpan lasts) => (run.Settings.Lease - run.Settings.Margin - (1.5 * run.Settings.RenewalInterval)) * (lasts / run.Settings.Lease);

    /// <summary>By when a holder knows that the server lost its lock: at its next renewal, or, where that does not arrive, at its deadline.</summary>
    private TimeSpan KnowsBy(Holding holding, Disturbance loss)
    {
        var interval = run.Settings.RenewalInterval;

        // One that hangs is given up after half an interval, and the next is sent a tenth of it later.
        var renewed = loss.To + (1.6 * interval) + Look;
        var arrives = !run.Disturbances.Any(d => d != loss && d.IsOfConnection && d.Strikes(holding.Worker) && d.Overlaps(loss.From - interval, renewed)) && !loss.IsOfConnection;
        var known = arrives ? renewed : Max(renewed, loss.To + run.Settings.Lease);

        // The time in which it is not scheduled comes on top, as does what is not in that either.
        for (var before = TimeSpan.Zero; known != before;)
        {
            (before, var unscheduled) = (known, run.UnscheduledOf(holding.By, loss.From, known));
            known = (arrives ? renewed : Max(renewed, loss.To + run.Settings.Lease)) + unscheduled + (unscheduled > TimeSpan.Zero ? Look : TimeSpan.Zero);
        }

        return known;
    }

    private static TimeSpan Min(TimeSpan a, TimeSpan b) => a < b ? a : b;

    private static TimeSpan Max(TimeSpan a, TimeSpan b) => a > b ? a : b;
}
