using Coordination.Quartz.Tests.Schedulers;
using Quartz;

namespace Coordination.Quartz.Tests.Jobs;

/// <summary>Does with its context what the test says.</summary>
internal sealed class CallingJob(Calls calls) : IJob
{
    public async ValueTask Execute(IJobExecutionContext context, CancellationToken cancellationToken = default) => await calls.Act(context);
}
