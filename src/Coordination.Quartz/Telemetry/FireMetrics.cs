using System.Diagnostics.Metrics;
using Coordination.Quartz.Execution;
using Coordination.Telemetry;
using Quartz;

namespace Coordination.Quartz.Telemetry;

/// <summary>Counts the fires of exclusive jobs, by job and by what became of them.</summary>
internal sealed class FireMetrics : IDisposable
{
    private readonly TelemetryDispatcher _dispatcher;
    private readonly Meter _meter;
    private readonly Counter<long> _fires;

    public FireMetrics(IMeterFactory factory, TelemetryDispatcher dispatcher)
    {
        _dispatcher = dispatcher;
        _meter = factory.Create(CoordinationInstrumentation.MeterName);
        _fires = _meter.CreateCounter<long>("coordination.quartz.fires", "{fire}", "Fires of exclusive jobs on this node, by job and outcome.");
    }

    public void Count(JobKey job, FireOutcome outcome) => _dispatcher.Post(
        (_fires, job, outcome),
        static told => told._fires.Add(
            1,
            new KeyValuePair<string, object?>("quartz.job.group", told.job.Group),
            new KeyValuePair<string, object?>("quartz.job.name", told.job.Name),
            new KeyValuePair<string, object?>("coordination.fire.outcome", Describe(told.outcome))));

    public void Dispose() => _meter.Dispose();

    private static string Describe(FireOutcome outcome) => outcome switch
    {
        FireOutcome.Ran => "ran",
        FireOutcome.Recovered => "recovered",
        FireOutcome.Cancelled => "cancelled",
        FireOutcome.Failed => "failed",
        FireOutcome.SkippedAsHeld => "skipped_held",
        FireOutcome.SkippedAsWaiting => "skipped_other_fire_waits",
        FireOutcome.SkippedAsRun => "skipped_already_run",
        FireOutcome.SkippedAsUnavailable => "skipped_store_unavailable",
        FireOutcome.SkippedAtStop => "skipped_shutdown",
        FireOutcome.RanUnprotected => "ran_unprotected",
        FireOutcome.Lost => "lost",
        _ => throw new ArgumentOutOfRangeException(nameof(outcome), outcome, "An unknown outcome of a fire."),
    };
}
