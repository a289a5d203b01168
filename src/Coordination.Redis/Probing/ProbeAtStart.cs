using Coordination.Redis.Stores;
using Coordination.Redis.Telemetry;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Coordination.Redis.Probing;

/// <summary>
/// Has the server examined before any service starts. A server that cannot keep locks fails the start; one that is away does
/// not, and is examined by the first operation that reaches it.
/// </summary>
internal sealed class ProbeAtStart(RedisLockStore store, ILogger<RedisLockStore> logger) : IHostedLifecycleService
{
    public async Task StartingAsync(CancellationToken cancellationToken)
    {
        try
        {
            await store.EnsureFitAsync(cancellationToken).ConfigureAwait(false);
        }
        catch (LockStoreException away) when (away.IsTransient)
        {
            Log.ProbeDeferred(logger, away.Message);
        }
    }

    public Task StartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StartedAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StoppingAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StoppedAsync(CancellationToken cancellationToken) => Task.CompletedTask;
}
