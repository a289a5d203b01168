using Coordination.Time;

namespace Coordination.Telemetry;

/// <summary>The measure and the trace of acquisitions, each from its call to its end.</summary>
internal sealed class AcquireTelemetry(CoordinationMetrics metrics, TelemetryDispatcher dispatcher, TimeProvider time)
{
    /// <summary>How a call ended that throws.</summary>
    public static AcquireOutcome OutcomeOf(Exception thrown) => thrown switch
    {
        OperationCanceledException => AcquireOutcome.Cancelled,
        LockStoreException { InUseAs: not null } => AcquireOutcome.Held,
        _ => AcquireOutcome.Failed,
    };

    /// <summary>Begins to measure a call, which <see cref="End"/> has to be told of once.</summary>
    /// <remarks>No trace for a standby, which waits for weeks: a trace is told of when it ends. What it is granted has one.</remarks>
    public AcquireCall Begin(string lockName, CallKind kind) =>
        new(kind, time.Uptime, kind == CallKind.Standby ? null : dispatcher.Tell(lockName, CoordinationActivities.StartAcquire, null));

    /// <summary>Ends it.</summary>
    public void End(AcquireCall call, AcquireOutcome outcome)
    {
        metrics.Acquired(time.Uptime - call.BegunAt, outcome, call.Kind);
        if (call.Activity is not null)
        {
            // Here and now: it is the caller's current trace until then.
            dispatcher.Tell((call.Activity, outcome), static told => CoordinationActivities.EndAcquire(told.Activity, told.outcome), false);
        }
    }
}
