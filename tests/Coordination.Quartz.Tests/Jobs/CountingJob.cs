using Quartz;

namespace Coordination.Quartz.Tests.Jobs;

/// <summary>Fails, refires and returns in turn.</summary>
[DisallowConcurrentAcrossCluster(OncePerFireTime = false)]
internal sealed class CountingJob(Count count) : IJob
{
    public ValueTask Execute(IJobExecutionContext context, CancellationToken cancellationToken = default) => (count.Next() % 10) switch
    {
        3 => throw new InvalidOperationException("broken"),
        5 => throw new JobExecutionException("again") { RefireImmediately = true },
        _ => ValueTask.CompletedTask,
    };
}
