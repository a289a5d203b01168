using Quartz;

namespace Coordination.Quartz.Tests.Runs;

internal sealed class ThrowingListener(bool before) : IJobListener
{
    public ValueTask JobToBeExecuted(IJobExecutionContext context, CancellationToken cancellationToken = default) =>
        before ? throw new InvalidOperationException("A listener that is broken.") : ValueTask.CompletedTask;

    public ValueTask JobWasExecuted(IJobExecutionContext context, JobExecutionException? jobException, CancellationToken cancellationToken = default) =>
        before ? ValueTask.CompletedTask : throw new InvalidOperationException("A listener that is broken.");
}
