using System.Diagnostics;

namespace Coordination.Telemetry;

/// <summary>
/// The trace of a hold, from the grant to its end. It begins and ends where sinks are told, and not on the way of a grant: a listener that blocks would
/// keep the lease from being watched.
/// </summary>
internal sealed class HoldTrace(TelemetryDispatcher dispatcher)
{
    /// <summary>Written and read by who tells sinks, one after another.</summary>
    private Activity? _activity;

    /// <summary>It begins now.</summary>
    public void Begin(string lockName, LockOwner owner, long fencingToken, ActivityContext parent) => dispatcher.Post(
        (Trace: this, lockName, owner, fencingToken, parent, Now: DateTimeOffset.UtcNow),
        static told => told.Trace._activity = CoordinationActivities.StartHold(told.lockName, told.owner, told.fencingToken, told.parent, told.Now));

    /// <summary>A renewal failed.</summary>
    public void RenewalFailed(Exception error) => dispatcher.Post((Trace: this, error), static told => CoordinationActivities.RenewalFailed(told.Trace._activity, told.error));

    /// <summary>It is over.</summary>
    public void End(TimeSpan heldFor, LeaseLossReason? reason, string? cause) => dispatcher.Post(
        (Trace: this, heldFor, reason, cause),
        static told =>
        {
            if (told.Trace._activity is { } activity)
            {
                CoordinationActivities.EndHold(activity, told.heldFor, told.reason, told.cause);
            }
        });
}
