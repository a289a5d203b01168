namespace Coordination.Telemetry;

/// <summary>How an acquisition ended.</summary>
internal enum AcquireOutcome
{
    Granted,
    Held,
    TimedOut,
    Cancelled,
    Failed,
}
