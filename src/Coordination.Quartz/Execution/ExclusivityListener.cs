using Coordination.Quartz.Telemetry;
using Microsoft.Extensions.Logging;
using Quartz;

namespace Coordination.Quartz.Execution;

/// <summary>Reports what became of each fire, once it is over. Holds nothing: not every fire is told to listeners.</summary>
internal sealed class ExclusivityListener(FireTimes fireTimes, FireMetrics metrics, ILogger logger) : IJobListener
{
    public string Name => "Coordination.Exclusivity";

    public ValueTask JobWasExecuted(IJobExecutionContext context, JobExecutionException? jobException, CancellationToken cancellationToken = default)
    {
        if (ExclusiveRun.Find(context) is { Outcome: { } outcome } run)
        {
            fireTimes.Settle(run);
            metrics.Count(context.JobDetail.Key, outcome);
            logger.Report(run, outcome);
        }

        return ValueTask.CompletedTask;
    }
}
