using System.Collections.Concurrent;
using Quartz;

namespace Coordination.Quartz.Tests.Schedulers;

/// <summary>Hears how fires end, as any job listener of the user's would.</summary>
internal sealed class Verdicts : IJobListener
{
    private readonly ConcurrentQueue<FireVerdict> _all = new();

    public string Name => "verdicts";

    public IReadOnlyList<FireVerdict> All => [.. _all];

    public ValueTask JobExecutionVetoed(IJobExecutionContext context, CancellationToken cancellationToken = default) => JobWasExecuted(context, null, cancellationToken);

    public ValueTask JobWasExecuted(IJobExecutionContext context, JobExecutionException? jobException, CancellationToken cancellationToken = default)
    {
        _all.Enqueue(new FireVerdict(context.JobDetail.Key, context.ScheduledFireTimeUtc, context.Outcome, context.Result, jobException, context.RetryScheduled, context.WasSkipped()));
        return ValueTask.CompletedTask;
    }
}
