using Quartz;

namespace Coordination.Quartz.Execution;

/// <summary>Tells fires that wait for a lock that their scheduler shuts down, which waits for them otherwise.</summary>
internal sealed class SchedulerShutdown : ISchedulerListener, IDisposable
{
    private readonly CancellationTokenSource _begun = new();

    public SchedulerShutdown() => Begun = _begun.Token;

    /// <summary>Cancelled when the scheduler begins to shut down, before it waits for jobs. Of use also to a job that outlives the container.</summary>
    public CancellationToken Begun { get; }

    public async ValueTask SchedulerShuttingDown(IScheduler scheduler, CancellationToken cancellationToken = default) =>
        await _begun.CancelAsync().ConfigureAwait(false);

    public void Dispose() => _begun.Dispose();
}
