using Coordination.Chaos.History;
using WorkerReplicas;

namespace Coordination.Chaos.Workers;

/// <summary>Notes when the process was not scheduled, on a thread of its own: what no code in it could have done anything about.</summary>
internal sealed class Canary(HistoryFile history, string by)
{
    private const int Tick = 5;
    private static readonly TimeSpan Tolerance = TimeSpan.FromMilliseconds(15);

    public void Start() => new Thread(Watch) { IsBackground = true, Name = "canary", Priority = ThreadPriority.Highest }.Start();

    private void Watch()
    {
        for (var before = MonotonicClock.Now; ;)
        {
            Thread.Sleep(Tick);
            var now = MonotonicClock.Now;
            if (now - before > Tolerance)
            {
                history.Write(new HistoryEvent(before, by, EventKind.Unscheduled, Length: now - before));
            }

            before = now;
        }
    }
}
