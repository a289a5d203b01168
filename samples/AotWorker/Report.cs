using Coordination;
using Quartz;

namespace AotWorker;

/// <summary>What runs once for each fire in the cluster.</summary>
[DisallowConcurrentAcrossCluster]
internal sealed class Report(Progress progress) : IJob
{
    public ValueTask Execute(IJobExecutionContext context, CancellationToken cancellationToken = default)
    {
        progress.JobRan(context.GetLease().FencingToken);
        return ValueTask.CompletedTask;
    }
}
