using Coordination.Quartz.Telemetry;
using Quartz;

namespace Coordination.Quartz.Execution;

/// <summary>Reports what became of each fire that was run, once it is over. Holds nothing: not every fire is told to listeners.</summary>
internal sealed class ExclusivityListener(ExclusivityGate gate, FireTimes fireTimes, FireReport report) : IJobListener
{
    public string Name => "Coordination.Exclusivity";

    /// <summary>Another listener may have vetoed a fire that was granted its lease.</summary>
    public async ValueTask JobExecutionVetoed(IJobExecutionContext context, CancellationToken cancellationToken = default) =>
        await gate.AbandonAsync(context).ConfigureAwait(false);

    public async ValueTask JobWasExecuted(IJobExecutionContext context, JobExecutionException? jobException, CancellationToken cancellationToken = default)
    {
        // Another middleware may have kept the fire from its job.
        await gate.AbandonAsync(context).ConfigureAwait(false);
        if (ExclusiveRun.Find(context) is not { } run)
        {
            return;
        }

        // Also of one that failed before its job began: its retry is of the same fire.
        fireTimes.Settle(run);
        if (run.Outcome is { } outcome)
        {
            run.Outcome = (outcome, context.Outcome) switch
            {
                (FireOutcome.Lost, _) => outcome,
                (_, ExecutionOutcome.Cancelled) => FireOutcome.Cancelled,
                (_, ExecutionOutcome.Failed) => FireOutcome.Failed,
                _ => outcome,
            };
            report.Tell(run);
        }
    }
}
