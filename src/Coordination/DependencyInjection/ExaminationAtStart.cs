using Coordination.Stores;
using Coordination.Telemetry;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Coordination.DependencyInjection;

/// <summary>
/// Makes the store before any service starts, so that settings which are wrong fail the start at once, and has the server examined before the host counts as started.
/// A server that cannot keep locks fails the start; one that is away does not, and is examined by the first operation that reaches it. Where another store was chosen
/// after the one that is examined, nothing is.
/// </summary>
/// <remarks>
/// When all services have started, and not before: a web server that is told to stop while it has not begun to listen ends the process with an error, and that time must not
/// be as long as the examination. Services and schedulers begin when the host has started; what acquires a lock sooner has the server examined by that.
/// </remarks>
internal sealed class ExaminationAtStart(NodeServices node, TelemetryDispatcher telemetry, ILogger<ExaminationAtStart> logger) : IHostedLifecycleService
{
    private readonly ILogger _logger = telemetry.Wrap(logger);

    public Task StartingAsync(CancellationToken cancellationToken)
    {
        // Only the store that counts is made, and what it stands before.
        node.Get<ILockStore>();
        return Task.CompletedTask;
    }

    public Task StartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public async Task StartedAsync(CancellationToken cancellationToken)
    {
        if (node.GetRequired<StoreExamination>().Examine is not { } examine)
        {
            return;
        }

        try
        {
            await examine(cancellationToken).ConfigureAwait(false);
        }
        catch (LockStoreException away) when (away.IsTransient && !cancellationToken.IsCancellationRequested)
        {
            Log.ExaminationDeferred(_logger, away.Message);
        }
        catch (Exception ended) when (cancellationToken.IsCancellationRequested && ended is OperationCanceledException or LockStoreException { IsTransient: true })
        {
            // Whichever came first: that the server is away, or that nobody waits for it any more.
            Log.ExaminationCancelled(_logger);
            if (node.Container.GetService(typeof(IHostApplicationLifetime)) is not IHostApplicationLifetime { ApplicationStopping.IsCancellationRequested: true })
            {
                // By its caller, or because it took too long: a host that goes on starting then has started after all.
                cancellationToken.ThrowIfCancellationRequested();
            }

            // The host is told to stop while it starts. It does so by itself when this returns, and would end by an exception that is thrown here.
        }
    }

    public Task StoppingAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StoppedAsync(CancellationToken cancellationToken) => Task.CompletedTask;
}
