using System.Diagnostics;
using System.Diagnostics.Metrics;
using Coordination.Quartz.Execution;
using Coordination.Telemetry;
using Quartz;

namespace Coordination.Quartz.Telemetry;

/// <summary>
/// Counts the fires of exclusive jobs by what became of them, and by the type and the group of the job: there are as many as the program has. By its name only where
/// the options say so: an application may have one for each order, and a listener drops what it has too many series of.
/// </summary>
internal sealed class FireMetrics : IDisposable
{
    private readonly TelemetryDispatcher _dispatcher;
    private readonly CoordinationMeter _meter;
    private readonly Counter<long>? _fires;

    public FireMetrics(IMeterFactory factory, TelemetryDispatcher dispatcher)
    {
        _dispatcher = dispatcher;
        _meter = new CoordinationMeter(factory, dispatcher, nodeName: null);
        _fires = _meter.Create(static meter => meter.CreateCounter<long>("coordination.quartz.fires", "{fire}", "Fires of exclusive jobs on this node, by type and group of the job, and outcome."));
    }

    public void Count(IJobDetail job, FireOutcome outcome, bool withName)
    {
        if (_fires is { Enabled: true })
        {
            _dispatcher.Post(
                (_fires, job.Key, Type: job.JobType.Type.ToString(), outcome, withName),
                static told =>
                {
                    var tags = new TagList
                    {
                        { "quartz.job.type", told.Type },
                        { "quartz.job.group", told.Key.Group },
                        { "coordination.fire.outcome", Describe(told.outcome) },
                    };
                    if (told.withName)
                    {
                        tags.Add("quartz.job.name", told.Key.Name);
                    }

                    told._fires.Add(1, tags);
                });
        }
    }

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
