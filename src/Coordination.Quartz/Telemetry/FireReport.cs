using Coordination.Quartz.Execution;
using Microsoft.Extensions.Logging;

namespace Coordination.Quartz.Telemetry;

/// <summary>Tells the log and the metrics what became of a fire.</summary>
internal sealed class FireReport(FireMetrics metrics, bool namesJobs, ILogger logger)
{
    public void Tell(ExclusiveRun run)
    {
        metrics.Count(run.Context.JobDetail, run.Outcome!.Value, namesJobs);
        logger.Report(run, run.Outcome.Value);
    }
}
