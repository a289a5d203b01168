using Coordination.Chaos.Checking;
using Coordination.Chaos.Faults;
using Coordination.Chaos.History;

namespace Coordination.Chaos.Scenarios;

/// <summary>How a run went.</summary>
/// <param name="Options">What was asked for.</param>
/// <param name="Plan">What was to happen.</param>
/// <param name="Happened">What happened, also what harms nobody.</param>
/// <param name="Events">What the processes wrote down.</param>
/// <param name="Run">What is known of it.</param>
/// <param name="Verdict">What the checker found.</param>
/// <param name="WriteCount">How many writes the resource saw.</param>
internal sealed record RunResult(RunOptions Options, IReadOnlyList<Fault> Plan, IReadOnlyList<Disturbance> Happened, IReadOnlyList<HistoryEvent> Events, RunRecord Run, Verdict Verdict, long WriteCount)
{
    public int Grants => Run.Holdings.Count;

    /// <summary>How often a lock went from one process to another.</summary>
    public int Handovers => Run.Holdings.GroupBy(holding => holding.Lock).Sum(holdings => holdings.Zip(holdings.Skip(1)).Count(pair => pair.First.By != pair.Second.By));

    /// <summary>How many writes the fenced register refused.</summary>
    public int Refused => Run.Writes.Count(write => !write.IsAccepted);

    /// <summary>How many releases to a node of choice could be judged.</summary>
    public int Successions => SuccessionCheck.Judged(Run).Count();

    /// <summary>How many holdings were lost for want of progress.</summary>
    public int Hung => Run.Holdings.Count(holding => holding.Reason == LeaseLossReason.NoProgress);

    /// <summary>How many grants that somebody was told of were missing on a server that took over.</summary>
    public int LostGrants => TakeoverCheck.Lost(Run).Count();

    /// <summary>How many transactions that a lock guards did not commit.</summary>
    public int Uncommitted => Events.Count(happened => happened.Kind == EventKind.Uncommitted);

    /// <summary>From a release to the next waiter's code, where one waited already.</summary>
    public IReadOnlyList<TimeSpan> HandoverTimes => TimesAfter(HoldingEnd.Released);

    /// <summary>From a holder's death to the next waiter's code, where one waited already.</summary>
    public IReadOnlyList<TimeSpan> FailoverTimes => TimesAfter(HoldingEnd.Died);

    private IReadOnlyList<TimeSpan> TimesAfter(HoldingEnd ending) =>
    [
        .. Run.Holdings.GroupBy(holding => holding.Lock)
            .SelectMany(holdings => holdings.Zip(holdings.Skip(1)))
            .Where(pair => pair.First.Ending == ending && pair.First.By != pair.Second.By && pair.First.Excludes(pair.Second) && pair.Second.WaitedFrom < pair.First.End && pair.Second.Granted > pair.First.End)
            .Select(pair => pair.Second.Granted - pair.First.End)
            .Order(),
    ];
}
