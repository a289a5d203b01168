using Quartz;

namespace Coordination.Quartz.Tests.Jobs;

[DisallowConcurrentAcrossCluster]
internal sealed class UnbuildableJob : IJob
{
    public UnbuildableJob() => throw new InvalidOperationException("This job cannot be made.");

    public ValueTask Execute(IJobExecutionContext context, CancellationToken cancellationToken = default) => ValueTask.CompletedTask;
}
