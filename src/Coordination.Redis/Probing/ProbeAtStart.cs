using Coordination.Redis.Stores;
using Coordination.Redis.Telemetry;
using Coordination.Stores;
using Coordination.Telemetry;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Coordination.Redis.Probing;

/// <summary>
/// Has the server examined before any service starts. A server that cannot keep locks fails the start; one that is away does
/// not, and is examined by the first operation that reaches it. Where another store was chosen after this one, nothing is examined.
/// </summary>
internal sealed class ProbeAtStart(IServiceProvider services, StoreInUse inUse, TelemetryDispatcher telemetry, ILogger<RedisLockStore> logger) : IHostedLifecycleService
{
    private readonly ILogger _logger = telemetry.Wrap(logger);

    public async Task StartingAsync(CancellationToken cancellationToken)
    {
        // Only the store that counts is made, and what it stands before.
        services.GetService<ILockStore>();
        if (inUse.Store is not { } store)
        {
            return;
        }

        try
        {
            await store.EnsureFitAsync(cancellationToken).ConfigureAwait(false);
        }
        catch (LockStoreException away) when (away.IsTransient)
        {
            Log.ProbeDeferred(_logger, away.Message);
        }
        catch (OperationCanceledException cancelled) when (cancelled.CancellationToken == cancellationToken)
        {
            Log.ProbeCancelled(_logger);
            if (services.GetService<IHostApplicationLifetime>() is not { ApplicationStopping.IsCancellationRequested: true })
            {
                // By its caller, or because it took too long: a host that goes on starting then has started after all.
                throw;
            }

            // The host is told to stop while it starts. It does so by itself when this returns, and would end by an exception that is thrown here.
        }
    }

    public Task StartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StartedAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StoppingAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StoppedAsync(CancellationToken cancellationToken) => Task.CompletedTask;
}
