using Quartz;

namespace Coordination.Quartz.Tests.Runs;

/// <summary>Has another node take the lock between a run and its refire.</summary>
internal sealed class TakingTheLockBeforeRefires(Func<Task> take) : ITriggerListener
{
    public async ValueTask TriggerFired(ITrigger trigger, IJobExecutionContext context, CancellationToken cancellationToken = default)
    {
        if (context.RefireCount > 0)
        {
            await take();
        }
    }
}
