using Quartz;
using Quartz.Extensibility;
using Quartz.Listeners;

namespace Coordination.Quartz.Execution;

/// <summary>
/// Keeps skipped fires from Quartz's chains of jobs. A link of <see cref="JobChainingJobListener"/> follows upon every outcome unless it is told otherwise,
/// a veto among them, and would run the next job on each node that skipped the first.
/// </summary>
internal sealed class ChainGuard
{
    private readonly Lock _gate = new();

    /// <summary>Puts a guard in the place of each chain that has none yet. A chain may be added at any time.</summary>
    public void Guard(IScheduler scheduler)
    {
        lock (_gate)
        {
            foreach (var chain in scheduler.ListenerManager.GetJobListeners().OfType<JobChainingJobListener>().ToList())
            {
                // Under the same name, which takes the place of the other. A chain knows its jobs by itself, so it needs no matchers.
                scheduler.ListenerManager.AddJobListener(new GuardedChain(chain));
            }
        }
    }

    private sealed class GuardedChain(JobChainingJobListener chain) : IJobListener
    {
        public string Name => chain.Name;

        /// <summary>By the interface, which has also the callbacks that a chain takes no notice of by now.</summary>
        private IJobListener Inner => chain;

        public ValueTask JobToBeExecuted(IJobExecutionContext context, CancellationToken cancellationToken = default) =>
            Inner.JobToBeExecuted(context, cancellationToken);

        public ValueTask JobProgressChanged(IJobExecutionContext context, FireInstanceProgress progress, CancellationToken cancellationToken = default) =>
            Inner.JobProgressChanged(context, progress, cancellationToken);

        public ValueTask JobWasExecuted(IJobExecutionContext context, JobExecutionException? jobException, CancellationToken cancellationToken = default) =>
            Inner.JobWasExecuted(context, jobException, cancellationToken);

        public ValueTask JobExecutionVetoed(IJobExecutionContext context, CancellationToken cancellationToken = default) =>
            context.WasSkipped() ? ValueTask.CompletedTask : Inner.JobExecutionVetoed(context, cancellationToken);
    }
}
