using Coordination.Chaos.Workers;

namespace Coordination.Chaos.Checking;

/// <summary>No fire runs twice, and none is missing that came while nothing was disturbed.</summary>
internal static class FireCheck
{
    /// <summary>How long workers may take from one fire to the next when one of them fails: the lease, and the time to run.</summary>
    private static readonly TimeSpan Recovery = TimeSpan.FromSeconds(1.5);

    public static IEnumerable<Violation> Find(RunRecord run)
    {
        foreach (var runs in run.Fires.GroupBy(fire => fire.Time).Where(runs => runs.Count() > 1))
        {
            yield return new Violation(CheckKind.Fires, runs.Last().At, $"The fire of {runs.Key:HH:mm:ss} ran {runs.Count()} times: on {string.Join(" and ", runs.Select(fire => fire.By))}.");
        }

        if (run.Settings.Workload != Workload.Schedule)
        {
            yield break;
        }

        if (run.Fires.Count == 0)
        {
            yield return new Violation(CheckKind.Fires, run.End, "No fire ran.");
            yield break;
        }

        // The schedule's own clock: its fires come once a second, counted from any of them.
        var ran = run.Fires.Select(fire => fire.Time).ToHashSet();
        var (some, times) = (run.Fires[0], (int)(run.End - run.Begin).TotalSeconds + 2);
        for (var i = -times; i < times; i++)
        {
            var (time, at) = (some.Time.AddSeconds(i), some.At + TimeSpan.FromSeconds(i));
            var settled = at > run.Begin + Recovery && at < run.End - Recovery;
            if (settled && !ran.Contains(time) && !run.Disturbances.Any(d => d.Overlaps(at - run.Settings.Lease - Recovery, at + Recovery)))
            {
                yield return new Violation(CheckKind.Fires, at, $"The fire of {time:HH:mm:ss} did not run.");
            }
        }
    }
}
