using Coordination.Quartz.Tests.Schedulers;
using Quartz;

namespace Coordination.Quartz.Tests.Jobs;

/// <summary>A job that is not exclusive, and writes its runs down.</summary>
internal sealed class PlainJob(Ledger ledger) : IJob
{
    public ValueTask Execute(IJobExecutionContext context, CancellationToken cancellationToken = default)
    {
        ledger.Begin(context).End();
        return ValueTask.CompletedTask;
    }
}
