using Coordination.Quartz.Execution;
using Microsoft.Extensions.Logging;

namespace Coordination.Quartz.Telemetry;

/// <summary>Tells the log and the metrics what became of a fire.</summary>
internal sealed class FireReport(FireMetrics metrics, ILogger logger)
{
    public void Tell(ExclusiveRun run)
    {
        metrics.Count(run.Context.JobDetail.Key, run.Outcome!.Value);
        logger.Report(run, run.Outcome.Value);
    }
}
