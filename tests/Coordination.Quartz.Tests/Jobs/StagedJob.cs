using Coordination.Quartz.Tests.Schedulers;
using Quartz;

namespace Coordination.Quartz.Tests.Jobs;

/// <summary>Writes its runs down, and does what the test says.</summary>
[DisallowConcurrentAcrossCluster]
internal sealed class StagedJob(Ledger ledger, Stage stage) : IJob
{
    public async ValueTask Execute(IJobExecutionContext context, CancellationToken cancellationToken = default)
    {
        var run = ledger.Begin(context);
        try
        {
            await stage.PlayAsync(cancellationToken);
        }
        finally
        {
            run.End();
        }
    }
}
