using System.Diagnostics;
using Coordination.Time;

namespace Coordination.Telemetry;

/// <summary>The measure and the trace of one acquisition, from its call to its end.</summary>
internal sealed class AcquireCall(string lockName, CallKind kind, CoordinationMetrics metrics, TelemetryDispatcher dispatcher, TimeProvider time) : IDisposable
{
    /// <summary>None for a standby, which waits for weeks: a trace is told of when it ends. What it is granted has one.</summary>
    private readonly Activity? _activity = kind == CallKind.Standby ? null : dispatcher.Tell(lockName, CoordinationActivities.StartAcquire, null);
    private readonly TimeSpan _begunAt = time.Uptime;
    private AcquireOutcome _outcome = AcquireOutcome.Failed;

    public void End(AcquireOutcome outcome) => _outcome = outcome;

    public T End<T>(AcquireOutcome outcome, T result)
    {
        _outcome = outcome;
        return result;
    }

    public void Dispose()
    {
        metrics.Acquired(time.Uptime - _begunAt, _outcome, kind);
        if (_activity is not null)
        {
            // Here and now: it is the caller's current trace until then.
            dispatcher.Tell((_activity, _outcome), static told => CoordinationActivities.EndAcquire(told._activity, told._outcome), false);
        }
    }
}
