using Coordination.Quartz.Tests.Schedulers;
using Quartz;

namespace Coordination.Quartz.Tests.Runs;

/// <summary>Stops fires that were admitted before their job begins.</summary>
internal sealed class GatedListener(Gate gate) : IJobListener
{
    public async ValueTask JobToBeExecuted(IJobExecutionContext context, CancellationToken cancellationToken = default) => await gate.PassAsync();
}
