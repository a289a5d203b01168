using Quartz;

namespace Coordination.Quartz.Execution;

/// <summary>Undoes the lease of a fire whose job does not begin because another listener threw: the scheduler tells of that by an error, and by nothing else.</summary>
internal sealed class AbandonedFires(ExclusivityGate gate) : ISchedulerListener
{
    public async ValueTask SchedulerError(IScheduler scheduler, SchedulerErrorContext context, CancellationToken cancellationToken = default)
    {
        if (context.FireInstanceId is { } fire)
        {
            await gate.AbandonAsync(fire).ConfigureAwait(false);
        }
    }
}
