using System.Collections.Concurrent;
using Coordination.Chaos.History;
using Coordination.TestKit.Clocks;
using Coordination.TestKit.Processes;

namespace Coordination.Chaos.Workers;

/// <summary>What the runner tells a worker while it runs.</summary>
internal sealed class WorkerSignals(HistoryFile history, ShiftedClock clock, WorkerSinks sinks)
{
    private readonly ConcurrentDictionary<string, bool> _passed = new();
    private readonly ConcurrentDictionary<string, TimeSpan> _hangs = new();
    private int _suspension;
    private long _deafUntil;

    public ShiftedClock Clock => clock;

    public HistoryFile History => history;

    /// <summary>Drains the node of this process.</summary>
    public Action Drain { get; set; } = () => { };

    /// <summary>Resumes the node of this process.</summary>
    public Action Resume { get; set; } = () => { };

    public WorkerSinks Sinks => sinks;

    /// <summary>Whether no notification reaches this process.</summary>
    public bool IsDeaf => MachineClock.Now.Ticks < Interlocked.Read(ref _deafUntil);

    /// <summary>Takes in one line of the worker's standard input.</summary>
    public void Take(string line)
    {
        var words = line.Split(' ');
        switch (words[0])
        {
            case "suspend":
                Volatile.Write(ref _suspension, (int)Enum.Parse<Suspension>(words[1]));
                break;
            case "hang":
                _hangs[words[1]] = TimeSpan.FromMilliseconds(int.Parse(words[2]));
                break;
            case "starve":
                StarvePool(TimeSpan.FromMilliseconds(int.Parse(words[1])));
                break;
            case "drain":
                Drain();
                break;
            case "resume":
                Resume();
                break;
            case "shift":
                clock.Set(TimeSpan.FromSeconds(int.Parse(words[1])));
                break;
            case "deafen":
                Interlocked.Exchange(ref _deafUntil, (MachineClock.Now + TimeSpan.FromMilliseconds(int.Parse(words[1]))).Ticks);
                break;
            case "sinks":
                sinks.Begin(Enum.Parse<SinkFault>(words[1]), TimeSpan.FromMilliseconds(int.Parse(words[2])));
                break;
            default:
                throw new ArgumentException($"A worker was told '{line}', of which it knows nothing.", nameof(line));
        }
    }

    /// <summary>Notes that a lock was passed to this process, whose next request for it is the claim.</summary>
    public void NotePassed(string lockName) => _passed[lockName] = true;

    public bool IsPassed(string lockName) => _passed.TryRemove(lockName, out _);

    /// <summary>For how long the work under a lock is to stand still here; null for not at all. It is told once.</summary>
    public TimeSpan? TakeHang(string lockName) => _hangs.TryRemove(lockName, out var length) ? length : null;

    /// <summary>Stops this process here, if it was told to. Whoever told it lets it go on.</summary>
    public void SuspendIfTold(Suspension where)
    {
        if (Interlocked.CompareExchange(ref _suspension, (int)Suspension.None, (int)where) == (int)where)
        {
            history.Write(EventKind.Suspending, detail: where.ToString());
            ProcessSignal.Stop(Environment.ProcessId);
        }
    }

    private static void StarvePool(TimeSpan length)
    {
        var end = MachineClock.Now + length;
        for (var i = 0; i < 64; i++)
        {
            // However many of them ever get a thread: those that get one after the end return at once.
            ThreadPool.UnsafeQueueUserWorkItem(_ => Thread.Sleep(end > MachineClock.Now ? end - MachineClock.Now : TimeSpan.Zero), null);
        }
    }
}
