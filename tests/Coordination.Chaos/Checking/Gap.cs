using Coordination.Chaos.Faults;

namespace Coordination.Chaos.Checking;

/// <summary>A time in which a process was not scheduled.</summary>
/// <param name="By">The process.</param>
/// <param name="From">From when.</param>
/// <param name="To">Until when.</param>
internal sealed record Gap(string By, TimeSpan From, TimeSpan To)
{
    public TimeSpan Length => To - From;

    /// <summary>
    /// What the processes noted themselves, and when they were stopped: one that was killed soon after had no time to note it. Times that overlap are one.
    /// </summary>
    public static IReadOnlyList<Gap> Join(IEnumerable<Gap> noted, IEnumerable<Disturbance> disturbances, IEnumerable<string> processes, TimeSpan safetyMargin)
    {
        var joined = new List<Gap>();
        var pauses = disturbances.Where(d => d.IsPause).ToArray();
        foreach (var process in processes)
        {
            Gap? last = null;
            var own = pauses.Where(pause => pause.Worker == RunRecord.WorkerOf(process)).Select(pause => new Gap(process, pause.From, pause.UnknownUntil(safetyMargin)));
            foreach (var gap in noted.Where(gap => gap.By == process).Concat(own).OrderBy(gap => gap.From))
            {
                if (last is null || gap.From > last.To)
                {
                    joined.Add(last = gap);
                }
                else if (gap.To > last.To)
                {
                    joined[^1] = last = last with { To = gap.To };
                }
            }
        }

        return joined;
    }
}
