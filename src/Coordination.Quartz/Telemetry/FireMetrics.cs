using System.Diagnostics;
using System.Diagnostics.Metrics;
using Coordination.Quartz.Execution;
using Coordination.Telemetry;
using Quartz;

namespace Coordination.Quartz.Telemetry;

/// <summary>Counts the fires of exclusive jobs, by what became of them and by the type of the job, of which there are few; its name is told on demand.</summary>
internal sealed class FireMetrics : IDisposable
{
    private readonly TelemetryDispatcher _dispatcher;
    private readonly CoordinationMeter _meter;
    private readonly Counter<long>? _fires;

    public FireMetrics(IMeterFactory factory, TelemetryDispatcher dispatcher)
    {
        _dispatcher = dispatcher;
        _meter = new CoordinationMeter(factory, dispatcher, nodeName: null);
        _fires = _meter.Create(static meter => meter.CreateCounter<long>("coordination.quartz.fires", "{fire}", "Fires of exclusive jobs on this node, by type of job and outcome."));
    }

    /// <param name="job">The job.</param>
    /// <param name="outcome">What became of the fire.</param>
    /// <param name="namesJob">Whether the job is told by its key as well.</param>
    public void Count(IJobDetail job, FireOutcome outcome, bool namesJob)
    {
        if (_fires is { Enabled: true })
        {
            _dispatcher.Post((_fires, Tags: TagsOf(job, outcome, namesJob)), static told => told._fires.Add(1, told.Tags));
        }
    }

    public void Dispose() => _meter.Dispose();

    private static TagList TagsOf(IJobDetail job, FireOutcome outcome, bool namesJob)
    {
        var tags = new TagList
        {
            { "quartz.job.type", job.JobType.Type.ToString() },
            { "coordination.fire.outcome", Describe(outcome) },
        };
        if (namesJob)
        {
            tags.Add("quartz.job.group", job.Key.Group);
            tags.Add("quartz.job.name", job.Key.Name);
        }

        return tags;
    }

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
        FireOutcome.SkippedAsWithdrawn => "skipped_withdrawn",
        FireOutcome.RanUnprotected => "ran_unprotected",
        FireOutcome.Lost => "lost",
        _ => throw new ArgumentOutOfRangeException(nameof(outcome), outcome, "An unknown outcome of a fire."),
    };
}
