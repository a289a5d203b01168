namespace Coordination.Chaos.Checking;

/// <summary>
/// Who reports no progress for longer than the timeout and the lease, has lost its lock by then, for want of progress and of nothing else where nothing else disturbs it; and then one who waits has
/// it. Who reports loses nothing for want of it.
/// </summary>
internal static class ProgressCheck
{
    private static readonly TimeSpan Grace = TimeSpan.FromMilliseconds(250);

    public static IEnumerable<Violation> Find(RunRecord run)
    {
        if (run.Settings.ProgressTimeout is not { } timeout)
        {
            yield break;
        }

        foreach (var holding in run.Holdings.Where(holding => holding.Ending != HoldingEnd.Died))
        {
            var isForWant = holding.Reason == LeaseLossReason.NoProgress;
            var limit = timeout + run.Settings.Lease + Grace;
            if (holding.Silence - run.UnscheduledOf(holding.By, holding.Granted, holding.End) > limit)
            {
                yield return new Violation(CheckKind.Progress, holding.End, $"{holding} stood with no progress for {Ms(holding.Silence)}, where {Ms(limit)} are allowed.");
            }
            else if (isForWant && holding.Silence < timeout && holding.End - holding.Granted > timeout)
            {
                yield return new Violation(CheckKind.Progress, holding.End, $"{holding} was lost for want of progress {Ms(holding.Silence)} after the last report.");
            }
            else if (holding.Ending == HoldingEnd.Lost && !isForWant && holding.Silence > timeout + run.Settings.RenewalInterval && !IsDisturbed(run, holding))
            {
                yield return new Violation(CheckKind.Progress, holding.End, $"{holding} was lost by {holding.Reason} with no progress for {Ms(holding.Silence)}.");
            }
            else if (isForWant && Kept(run, holding, holding.End - holding.Silence + limit) is { } text)
            {
                yield return new Violation(CheckKind.Progress, holding.End, text);
            }
        }
    }

    /// <summary>What is lost for want of progress has another holder at a time, where one waits since the lease was over.</summary>
    private static string? Kept(RunRecord run, Holding lost, TimeSpan limit)
    {
        if (limit > run.End || run.Holdings.Any(next => next.Lock == lost.Lock && next.Token > lost.Token && next.GrantedByServer <= limit))
        {
            return null;
        }

        var waiting = run.Waits.FirstOrDefault(wait =>
            wait.Lock == lost.Lock
            && wait.From < limit - Grace
            && wait.To > limit + run.UnscheduledOf(wait.By, lost.End, wait.To)
            && !run.Disturbances.Any(d => (d.IsOfConnection || d.Strikes(wait.Worker)) && d.Overlaps(lost.End - run.Settings.Lease, limit)));
        return waiting is null ? null : $"{lost} had no progress, and {waiting.By} waited still at {limit.TotalSeconds:F3} s.";
    }

    private static bool IsDisturbed(RunRecord run, Holding holding)
    {
        var from = holding.End - run.Settings.Lease - run.Settings.RenewalInterval;
        return run.GapOf(holding.By, from, holding.End) is not null || run.Disturbances.Any(d => (d.Strikes(holding.Worker) || d.Loss is not null) && d.Overlaps(from, holding.End));
    }

    private static string Ms(TimeSpan length) => $"{length.TotalMilliseconds:F0} ms";
}
