using System.Globalization;
using Coordination.Chaos.Faults;
using Coordination.Chaos.History;
using Coordination.Chaos.Resource;

namespace Coordination.Chaos.Checking;

/// <summary>What is known of a run when it is over.</summary>
internal sealed record RunRecord
{
    public required RunSettings Settings { get; init; }

    /// <summary>When the workers were all ready.</summary>
    public required TimeSpan Begin { get; init; }

    /// <summary>When they were told to end.</summary>
    public required TimeSpan End { get; init; }

    /// <summary>In the order in which they were told.</summary>
    public IReadOnlyList<Holding> Holdings { get; init; } = [];

    public IReadOnlyList<Wait> Waits { get; init; } = [];

    public IReadOnlyList<Entry> Entries { get; init; } = [];

    /// <summary>Those of which is known how they ended.</summary>
    public IReadOnlyList<Release> Releases { get; init; } = [];

    public IReadOnlyList<Gap> Gaps { get; init; } = [];

    public IReadOnlyList<Fire> Fires { get; init; } = [];

    public IReadOnlyList<StepDownAsk> Asks { get; init; } = [];

    public IReadOnlyList<Drain> Drains { get; init; } = [];

    public IReadOnlyList<ResourceWrite> Writes { get; init; } = [];

    /// <summary>What was committed in transactions that a lock guards.</summary>
    public IReadOnlyList<GuardedWrite> GuardedWrites { get; init; } = [];

    /// <summary>The servers that took over, and what they had.</summary>
    public IReadOnlyList<Takeover> Takeovers { get; init; } = [];

    public IReadOnlyList<Disturbance> Disturbances { get; init; } = [];

    /// <summary>What was left on the server when all had gone and the last lease was over.</summary>
    public IReadOnlyList<string> Residue { get; init; } = [];

    /// <summary>What went wrong in a worker that no fault explains.</summary>
    public IReadOnlyList<string> Failures { get; init; } = [];

    public IEnumerable<string> Locks => Waits.Select(wait => wait.Lock).Concat(Holdings.Select(holding => holding.Lock)).Distinct().Order();

    /// <summary>Reads the events of a history.</summary>
    /// <param name="events">In the order of time.</param>
    /// <param name="settings">What the locks promise.</param>
    /// <param name="begin">When the workers were ready.</param>
    /// <param name="end">When they were told to end.</param>
    /// <param name="wallClock">What the wall clock of the server shows when the shared clock shows zero, by which tokens tell their moment.</param>
    public static RunRecord Read(IReadOnlyList<HistoryEvent> events, RunSettings settings, TimeSpan begin, TimeSpan end, TimeSpan wallClock)
    {
        var waiting = new Dictionary<(string, long), HistoryEvent>();
        var granted = new Dictionary<(string, long), HistoryEvent>();
        var holdings = new List<Holding>();
        var waits = new List<Wait>();
        var entries = new List<Entry>();
        var drains = new List<Drain>();
        var releasing = new Dictionary<(string, long), TimeSpan>();
        var releases = new List<Release>();
        var queued = new Dictionary<(string, long), TimeSpan>();
        var left = new Dictionary<(string, long), TimeSpan>();
        foreach (var happened in events)
        {
            var key = (happened.By, happened.Attempt);
            switch (happened.Kind)
            {
                case EventKind.Waiting:
                    waiting[key] = happened;
                    break;
                case EventKind.Queued:
                    queued.TryAdd(key, happened.At);
                    break;
                case EventKind.GivingUp:
                    left.TryAdd(key, happened.At);
                    break;
                case EventKind.Granted:
                    granted[key] = happened;
                    EndWait(key, happened.At, isGranted: true, happened.Token);
                    break;
                case EventKind.Reentered:
                    entries.Add(new Entry(happened.By, happened.Lock!, happened.Attempt, happened.At, happened.Token!.Value));
                    break;
                case EventKind.GaveUp:
                    EndWait(key, happened.At, isGranted: false);
                    break;
                case EventKind.Lost:
                    EndHolding(key, happened, HoldingEnd.Lost);
                    break;
                case EventKind.Releasing:
                    EndHolding(key, happened, HoldingEnd.Released);
                    releasing[key] = happened.At;
                    break;
                case EventKind.Released when releasing.Remove(key, out var from):
                    releases.Add(new Release(happened.By, happened.Lock!, from, happened.At));
                    break;
                case EventKind.Draining:
                    drains.Add(new Drain(happened.By, happened.At, null, end));
                    break;
                case EventKind.Drained or EventKind.Resumed:
                    EndDrain(happened);
                    break;
                case EventKind.Ended:
                    EndDrain(happened);
                    foreach (var open in granted.Keys.Where(open => open.Item1 == happened.By).ToArray())
                    {
                        EndHolding(open, happened, HoldingEnd.Died);
                    }

                    foreach (var open in waiting.Keys.Where(open => open.Item1 == happened.By).ToArray())
                    {
                        EndWait(open, happened.At, isGranted: false);
                    }

                    break;
            }
        }

        return new RunRecord
        {
            Settings = settings,
            Begin = begin,
            End = end,
            Holdings = [.. holdings.OrderBy(holding => holding.Granted)],
            Waits = [.. waits.OrderBy(wait => wait.From)],
            Entries = entries,
            Releases = releases,
            Drains = drains,
            Gaps = [.. events.Where(happened => happened.Kind == EventKind.Unscheduled).Select(happened => new Gap(happened.By, happened.At, happened.At + happened.Length))],
            Asks = [.. events.Where(happened => happened.Kind == EventKind.Asked).Select(happened => new StepDownAsk(happened.Lock!, happened.At, happened.At + happened.Length))],
            Fires = [.. events.Where(happened => happened.Kind == EventKind.Fired).Select(happened => new Fire(happened.By, happened.At, DateTime.Parse(happened.Detail!, CultureInfo.InvariantCulture, DateTimeStyles.RoundtripKind)))],
        };

        void EndWait((string By, long) key, TimeSpan at, bool isGranted, long? token = null)
        {
            if (waiting.TryGetValue(key, out var wait))
            {
                waits.Add(new Wait(key.By, WorkerOf(key.By), wait.Lock!, wait.At, at, isGranted, token, wait.Share, TimeOf(queued, key), TimeOf(left, key)));
                if (!isGranted)
                {
                    waiting.Remove(key);
                }
            }
        }

        void EndDrain(HistoryEvent happened)
        {
            var i = drains.FindLastIndex(drain => drain.By == happened.By);
            if (i >= 0 && drains[i].To == end)
            {
                drains[i] = happened.Kind == EventKind.Drained ? drains[i] with { Drained = happened.At } : drains[i] with { To = happened.At };
            }
        }

        void EndHolding((string By, long Attempt) key, HistoryEvent end, HoldingEnd ending)
        {
            if (granted.Remove(key, out var grant))
            {
                var byServer = grant.Token is { } token ? TimeSpan.FromMicroseconds(token) - wallClock : grant.At;

                // Who does not say that it waits, and was paused before it could say what it has, asked no later than its token tells.
                var waitedFrom = waiting.Remove(key, out var wait) ? wait.At : byServer >= grant.At - settings.Lease && byServer <= grant.At ? byServer : grant.At;

                // A token that had to grow past an earlier one says nothing of the time.
                var isPlausible = byServer >= waitedFrom && byServer <= grant.At;
                holdings.Add(new Holding(
                    key.By, WorkerOf(key.By), grant.Lock!, key.Attempt, grant.Token, waitedFrom, grant.At, isPlausible ? byServer : grant.At, end.At, ending, grant.Share, grant.Permit, grant.Reader,
                    ProcessOf(end.Successor), end.Reason, end.Length));
            }
        }
    }

    private static TimeSpan? TimeOf(Dictionary<(string, long), TimeSpan> times, (string, long) key) => times.TryGetValue(key, out var time) ? time : null;

    public static string WorkerOf(string process) => process.Split('.')[0];

    /// <summary>The process of a node's id, which begins with its name; null for what is no id.</summary>
    private static string? ProcessOf(string? node) => node?.Split('-') is [var process, _, ..] ? process : null;

    /// <summary>The grant of a lock that came before that of a token.</summary>
    public Holding? Before(string lockName, long? token) => Holdings.Where(holding => holding.Lock == lockName && holding.Token < token).MaxBy(holding => holding.Token);

    /// <summary>The longest time in which a process was not scheduled between two moments.</summary>
    public Gap? GapOf(string process, TimeSpan from, TimeSpan to) =>
        Gaps.Where(gap => gap.By == process && gap.From <= to && gap.To >= from).MaxBy(gap => gap.Length);

    /// <summary>For how long a process was not scheduled between two moments, taken together.</summary>
    public TimeSpan UnscheduledOf(string process, TimeSpan from, TimeSpan to) =>
        Gaps.Where(gap => gap.By == process && gap.From < to && gap.To > from)
            .Aggregate(TimeSpan.Zero, (sum, gap) => sum + (gap.To < to ? gap.To : to) - (gap.From > from ? gap.From : from));
}
