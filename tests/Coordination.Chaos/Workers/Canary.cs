using Coordination.Chaos.History;
using Coordination.TestKit.Clocks;

namespace Coordination.Chaos.Workers;

/// <summary>Notes when the process was not scheduled, on a thread of its own: what no code in it could have done anything about.</summary>
internal sealed class Canary : IDisposable
{
    private const int Tick = 5;
    private static readonly TimeSpan Tolerance = TimeSpan.FromMilliseconds(15);

    private readonly HistoryFile _history;
    private readonly string _by;
    private readonly Thread _thread;
    private volatile bool _hasEnded;

    public Canary(HistoryFile history, string by)
    {
        (_history, _by) = (history, by);
        _thread = new Thread(Watch) { IsBackground = true, Name = "canary", Priority = ThreadPriority.Highest };
        _thread.Start();
    }

    public void Dispose()
    {
        _hasEnded = true;
        _thread.Join();
    }

    private void Watch()
    {
        for (var before = MachineClock.Now; !_hasEnded;)
        {
            Thread.Sleep(Tick);
            var now = MachineClock.Now;
            if (now - before > Tolerance)
            {
                _history.Write(new HistoryEvent(before, _by, EventKind.Unscheduled, Length: now - before));
            }

            before = now;
        }
    }
}
