using Quartz;

namespace Coordination.Quartz.Tests.Runs;

internal sealed class VetoingListener : ITriggerListener
{
    public ValueTask<bool> VetoJobExecution(ITrigger trigger, IJobExecutionContext context, CancellationToken cancellationToken = default) => ValueTask.FromResult(true);
}
