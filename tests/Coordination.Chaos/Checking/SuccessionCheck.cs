namespace Coordination.Chaos.Checking;

/// <summary>Who a holder releases its lock to has it next, where it waited already and waits still, and nothing disturbs either of them.</summary>
internal static class SuccessionCheck
{
    /// <summary>How long before the release a waiter has to come, for its request to be there; and how long after the next grant it has to wait still, for it not to have left before.</summary>
    private static readonly TimeSpan Lead = TimeSpan.FromMilliseconds(250);

    public static IEnumerable<Violation> Find(RunRecord run) =>
        from pair in Judged(run)
        where pair.Next.By != pair.Released.Successor
        select new Violation(CheckKind.Succession, pair.Next.Granted, $"{pair.Released} was released to {pair.Released.Successor}, which waited, and {pair.Next} came next.");

    /// <summary>The holdings that were released to one that could have the lock, and who had it next.</summary>
    public static IEnumerable<(Holding Released, Holding Next)> Judged(RunRecord run)
    {
        foreach (var holdings in run.Holdings.Where(holding => holding.Token is not null).GroupBy(holding => holding.Lock))
        {
            var inOrder = holdings.OrderBy(holding => holding.Token).ToArray();
            foreach (var (released, next) in inOrder.Zip(inOrder.Skip(1)).Where(pair => pair.First.Successor is not null))
            {
                if (run.Waits.FirstOrDefault(wait => wait.Lock == released.Lock && wait.By == released.Successor && WaitsThroughout(wait, released, next)) is { } wait
                    && !IsDisturbed(run, released.By, released.Worker, released.End, next.Granted)
                    && !IsDisturbed(run, wait.By, wait.Worker, released.End, next.Granted))
                {
                    yield return (released, next);
                }
            }
        }
    }

    private static bool WaitsThroughout(Wait wait, Holding released, Holding next) =>
        wait.From + Lead < released.End && (wait.IsGranted ? wait.Token >= next.Token : wait.To > next.Granted + Lead);

    /// <summary>Whether a process may not have heard or been heard: it stood still just then, or for so long that it counted as dead, or was struck and has not made that good yet.</summary>
    private static bool IsDisturbed(RunRecord run, string process, string worker, TimeSpan from, TimeSpan to) =>
        run.GapOf(process, from - Lead, to)?.Length > Lead / 5
        || run.GapOf(process, from - run.Settings.Lease, to)?.Length > run.Settings.Lease / 5
        || run.Disturbances.Any(d => (d.Strikes(worker) || d.Loss is not null) && d.Overlaps(from - (2 * run.Settings.Lease), to));
}
