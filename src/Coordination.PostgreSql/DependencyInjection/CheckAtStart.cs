using Coordination.PostgreSql.Stores;
using Coordination.PostgreSql.Telemetry;
using Coordination.Stores;
using Coordination.Telemetry;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Coordination.PostgreSql.DependencyInjection;

/// <summary>
/// Makes the store before any service starts, so that settings which are wrong fail the start at once, and has the server examined before the host counts as started. A server that
/// cannot keep locks fails the start; one that is away does not, and is examined by the first operation that reaches it. Where another store was chosen after this one, nothing is
/// examined.
/// </summary>
internal sealed class CheckAtStart(IServiceProvider services, StoreInUse inUse, TelemetryDispatcher telemetry, ILogger<PostgreSqlLockStore> logger) : IHostedLifecycleService
{
    private readonly ILogger _logger = telemetry.Wrap(logger);

    public Task StartingAsync(CancellationToken cancellationToken)
    {
        // Only the store that counts is made, and what it stands before.
        services.GetService<ILockStore>();
        return Task.CompletedTask;
    }

    public Task StartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public async Task StartedAsync(CancellationToken cancellationToken)
    {
        if (inUse.Store is not { } store)
        {
            return;
        }

        try
        {
            await store.EnsureFitAsync(cancellationToken).ConfigureAwait(false);
        }
        catch (LockStoreException away) when (away.IsTransient && !cancellationToken.IsCancellationRequested)
        {
            Log.ExaminationDeferred(_logger, away.Message);
        }
        catch (Exception ended) when (cancellationToken.IsCancellationRequested && ended is OperationCanceledException or LockStoreException { IsTransient: true })
        {
            // Whichever came first: that the server is away, or that nobody waits for it any more.
            Log.ExaminationCancelled(_logger);
            if (services.GetService<IHostApplicationLifetime>() is not { ApplicationStopping.IsCancellationRequested: true })
            {
                cancellationToken.ThrowIfCancellationRequested();
            }

            // The host is told to stop while it starts. It does so by itself when this returns, and would end by an exception that is thrown here.
        }
    }

    public Task StoppingAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StoppedAsync(CancellationToken cancellationToken) => Task.CompletedTask;
}
