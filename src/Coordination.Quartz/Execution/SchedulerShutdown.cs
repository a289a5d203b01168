using System.Diagnostics.CodeAnalysis;
using Quartz;

namespace Coordination.Quartz.Execution;

/// <summary>Tells fires that wait for a lock that their scheduler shuts down, which waits for them otherwise.</summary>
[SuppressMessage("Design", "CA1001:Types that own disposable fields should be disposable", Justification = "A source with no timer and no linked token holds nothing to dispose of.")]
internal sealed class SchedulerShutdown : ISchedulerListener
{
    private readonly CancellationTokenSource _begun = new();

    public SchedulerShutdown() => Begun = _begun.Token;

    /// <summary>Cancelled when the scheduler begins to shut down, before it waits for jobs. Of use also to a job that outlives the container.</summary>
    public CancellationToken Begun { get; }

    public async ValueTask SchedulerShuttingDown(IScheduler scheduler, CancellationToken cancellationToken = default) =>
        await _begun.CancelAsync().ConfigureAwait(false);

    /// <summary>For a scheduler that nobody shuts down, and whose container is disposed.</summary>
    public void Begin() => _begun.Cancel();
}
