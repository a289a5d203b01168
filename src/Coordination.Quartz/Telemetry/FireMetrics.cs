using System.Diagnostics.Metrics;
using Coordination.Quartz.Execution;
using Quartz;

namespace Coordination.Quartz.Telemetry;

/// <summary>Counts the fires of exclusive jobs, by job and by what became of them.</summary>
internal sealed class FireMetrics : IDisposable
{
    private readonly Meter _meter;
    private readonly Counter<long> _fires;

    public FireMetrics(IMeterFactory factory)
    {
        _meter = factory.Create(CoordinationInstrumentation.MeterName);
        _fires = _meter.CreateCounter<long>("coordination.quartz.fires", "{fire}", "Fires of exclusive jobs on this node, by job and outcome.");
    }

    public void Count(JobKey job, FireOutcome outcome) => _fires.Add(
        1,
        new KeyValuePair<string, object?>("quartz.job.group", job.Group),
        new KeyValuePair<string, object?>("quartz.job.name", job.Name),
        new KeyValuePair<string, object?>("coordination.fire.outcome", Describe(outcome)));

    public void Dispose() => _meter.Dispose();

    private static string Describe(FireOutcome outcome) => outcome switch
    {
        FireOutcome.Ran => "ran",
        FireOutcome.Recovered => "recovered",
        FireOutcome.SkippedAsHeld => "skipped_held",
        FireOutcome.SkippedAsRun => "skipped_already_run",
        FireOutcome.SkippedAsUnavailable => "skipped_store_unavailable",
        FireOutcome.RanUnprotected => "ran_unprotected",
        FireOutcome.Lost => "lost",
        _ => throw new ArgumentOutOfRangeException(nameof(outcome), outcome, "An unknown outcome of a fire."),
    };
}
