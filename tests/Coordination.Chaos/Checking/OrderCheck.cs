namespace Coordination.Chaos.Checking;

/// <summary>Of two waiters of a lock that nothing disturbs, the one that stood in the queue before the other began to ask is served first; and one that upgrades its read is served before all who
/// do not. Whom the holder before released its lock to overtakes, and whoever gives up has left the queue by then. Until who waits is told that it stands in the queue, its request may wait for the lock's row, or be sent again. And while the server keeps
/// a call for the same lock for half of a claim window, whoever is given its turn may miss it.</summary>
internal static class OrderCheck
{
    /// <summary>How long a grant may be under way to who is told it, and a call to who made it.</summary>
    private static readonly TimeSpan Lead = TimeSpan.FromMilliseconds(250);

    /// <summary>How long processes that were just started may still compile what they run.</summary>
    private static readonly TimeSpan Start = TimeSpan.FromSeconds(1);

    public static IEnumerable<Violation> Find(RunRecord run)
    {
        if (!run.Settings.IsOurs)
        {
            yield break;
        }

        foreach (var waits in run.Waits.Where(wait => wait.From > run.Begin + Start).GroupBy(wait => wait.Lock))
        {
            foreach (var served in waits.Where(wait => wait.IsGranted && run.Before(wait.Lock, wait.Token)?.Successor != wait.By))
            {
                foreach (var first in waits.Where(wait => IsOvertaken(wait, served) && wait.By != served.By))
                {
                    if (!IsDisturbed(run, first, first.From, served.To) && !IsDisturbed(run, served, served.From, served.To) && !IsKept(run, first, served))
                    {
                        yield return new Violation(
                            CheckKind.Order,
                            served.To,
                            $"{served.By} waited for {served.Lock} from {served.From.TotalSeconds:F3} s and had it at {served.To.TotalSeconds:F3} s, before {first.By}, which waited from {first.From.TotalSeconds:F3} s, was told its place at {first.Queued?.TotalSeconds:F3} s and {(first.IsGranted ? "had it" : "gave up")} at {first.Until.TotalSeconds:F3} s.");
                    }
                }
            }
        }
    }

    /// <summary>An upgrade goes before all others. Of two that were granted at once, either may be told first.</summary>
    private static bool IsOvertaken(Wait first, Wait served) =>
        (first.IsUpgrade && !served.IsUpgrade ? first.Queued + Lead < served.To : first.Queued < served.From)
        && first.Until > served.To
        && !(first.Token < served.Token)
        && (first.IsUpgrade || !served.IsUpgrade);

    private static bool IsDisturbed(RunRecord run, Wait wait, TimeSpan from, TimeSpan to) =>
        run.GapOf(wait.By, from, to) is { } gap && gap.Length > Lead / 5
        || run.Disturbances.Any(d => (d.Strikes(wait.Worker) || d.Loss is not null) && d.Overlaps(from - run.Settings.Lease, to));

    /// <summary>A release is one call, and so shows how long the server takes for one.</summary>
    private static bool IsKept(RunRecord run, Wait first, Wait served) =>
        run.Releases.Any(release => release.Lock == first.Lock && release.To - release.From > Lead && release.From < served.From && release.To > first.From);
}
