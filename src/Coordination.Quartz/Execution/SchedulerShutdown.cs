using Quartz;

namespace Coordination.Quartz.Execution;

/// <summary>Tells fires that wait for a lock that their scheduler shuts down, which waits for them otherwise.</summary>
internal sealed class SchedulerShutdown : ISchedulerListener, IDisposable
{
    private readonly CancellationTokenSource _begun = new();

    /// <summary>Cancelled when the scheduler begins to shut down, before it waits for jobs.</summary>
    public CancellationToken Begun => _begun.Token;

    public async ValueTask SchedulerShuttingDown(IScheduler scheduler, CancellationToken cancellationToken = default) =>
        await _begun.CancelAsync().ConfigureAwait(false);

    public void Dispose() => _begun.Dispose();
}
