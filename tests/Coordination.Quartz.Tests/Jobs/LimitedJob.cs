using Coordination.Quartz.Tests.Schedulers;
using Quartz;

namespace Coordination.Quartz.Tests.Jobs;

/// <summary>As <see cref="StagedJob"/>, twice at a time.</summary>
[LimitConcurrencyAcrossCluster(2)]
internal sealed class LimitedJob(Ledger ledger, Stage stage) : IJob
{
    private readonly StagedJob _job = new(ledger, stage);

    public ValueTask Execute(IJobExecutionContext context, CancellationToken cancellationToken = default) => _job.Execute(context, cancellationToken);
}
