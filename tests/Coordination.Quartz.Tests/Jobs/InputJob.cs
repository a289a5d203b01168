using Coordination.Quartz.Tests.Schedulers;
using Quartz;

namespace Coordination.Quartz.Tests.Jobs;

/// <summary>A job as they come: by scope, with an input of its type, and next to the attribute of Quartz.</summary>
[DisallowConcurrentExecution]
[DisallowConcurrentAcrossCluster]
internal sealed class InputJob(Ledger ledger, Scoped scoped) : IJob<string>
{
    public ValueTask Execute(IJobExecutionContext context, string input, CancellationToken cancellationToken = default)
    {
        Assert.Equal("north", input);
        Assert.False(scoped.IsDisposed);
        ledger.Begin(context).End();
        return ValueTask.CompletedTask;
    }
}
