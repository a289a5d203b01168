namespace Coordination.Chaos.Checking;

/// <summary>A holder that is told of a loss is told the safety margin before the server's next grant of what it had, while its process is scheduled.</summary>
internal static class ToldFirstCheck
{
    /// <summary>
    /// What the history cannot tell apart: the canary shows when its own thread was not scheduled, and two others stand between the deadline and the line,
    /// on a machine that has more to do than it has cores.
    /// </summary>
    private static readonly TimeSpan Resolution = TimeSpan.FromMilliseconds(200);

    public static IEnumerable<Violation> Find(RunRecord run)
    {
        foreach (var holdings in run.Holdings.GroupBy(holding => holding.Lock))
        {
            var inOrder = holdings.OrderBy(holding => holding.GrantedByServer).ToArray();
            for (var i = 0; i < inOrder.Length - 1; i++)
            {
                var lost = inOrder[i];
                if (lost.Ending != HoldingEnd.Lost || inOrder.Skip(i + 1).FirstOrDefault(lost.Excludes) is not { } next)
                {
                    continue;
                }

                var (led, margin) = (next.GrantedByServer - lost.End, MarginOf(run.Settings, lost, next));
                if (led < margin - Resolution
                    && run.GapOf(lost.By, lost.End - margin, lost.End) is null
                    && !run.Disturbances.Any(d => d.MayLose(lost.Lock) && d.Overlaps(lost.GrantedNoEarlier, next.GrantedByServer)))
                {
                    yield return new Violation(CheckKind.ToldFirst, lost.End, $"{lost} was told of its loss {led.TotalMilliseconds:F0} ms before {next}, and not {margin.TotalMilliseconds:F0} ms.");
                }
            }
        }
    }

    /// <summary>
    /// What had the lock to itself for less than a lease had it by a handover whose claim did not arrive: that lasts for a claim window, and the margin is as large a part
    /// of it as it is of a lease.
    /// </summary>
    private static TimeSpan MarginOf(RunSettings settings, Holding lost, Holding next) =>
        next.GrantedByServer - lost.GrantedNoEarlier < settings.Lease && settings.ClaimWindow < settings.Lease ? settings.Margin * (settings.ClaimWindow / settings.Lease) : settings.Margin;
}
