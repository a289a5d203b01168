using System.Diagnostics;
using Coordination.Time;

namespace Coordination.Telemetry;

/// <summary>The measure and the trace of one acquisition, from its call to its end.</summary>
internal sealed class AcquireCall(string lockName, CoordinationMetrics metrics, TelemetryDispatcher dispatcher, TimeProvider time) : IDisposable
{
    private readonly Activity? _activity = dispatcher.Tell(lockName, CoordinationActivities.StartAcquire, null);
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
        metrics.Acquired(time.Uptime - _begunAt, _outcome);
        if (_activity is not null)
        {
            // Here and now: it is the caller's current trace until then.
            dispatcher.Tell((_activity, _outcome), static told => CoordinationActivities.EndAcquire(told._activity, told._outcome), false);
        }
    }
}
