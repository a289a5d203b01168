using Coordination;
using Quartz;
using WorkerReplicas.Ledger;

namespace WorkerReplicas.Replica;

/// <summary>Every replica schedules this job for the same times; one of them runs it, each time.</summary>
[DisallowConcurrentAcrossCluster]
internal sealed class ReportJob(LedgerClient ledger) : IJob
{
    private static readonly TimeSpan Work = TimeSpan.FromMilliseconds(200);

    public async ValueTask Execute(IJobExecutionContext context, CancellationToken cancellationToken = default)
    {
        var fireTime = context.ScheduledFireTimeUtc ?? context.FireTimeUtc;
        await using var fire = await ledger.BeginFireAsync(fireTime, context.GetLease().FencingToken, cancellationToken);
        await Task.Delay(Work, cancellationToken);
        await fire.CompleteAsync();
    }
}
