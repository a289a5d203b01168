using Coordination.Hosting.Telemetry;

namespace Coordination.Hosting.Terms;

/// <summary>What one service has prepared for its next term on this node. For one caller at a time.</summary>
internal sealed class Preparation(ExclusiveBackgroundService service, ServiceLog log)
{
    /// <summary>Null where nothing is prepared, and for a service that prepares nothing.</summary>
    public Prepared? Current { get; private set; }

    /// <summary>Has the service prepare what it has not yet.</summary>
    /// <param name="onBegun">Called when it begins to.</param>
    /// <param name="cancellationToken">Tells it that the node will not contend.</param>
    /// <exception cref="OperationCanceledException">The token was cancelled.</exception>
    /// <remarks>Throws also what the service throws.</remarks>
    public async Task PrepareAsync(Action onBegun, CancellationToken cancellationToken)
    {
        if (Current is null && service.Prepares)
        {
            onBegun();
            Current = await service.PrepareTermAsync(cancellationToken).ConfigureAwait(false);
        }

        cancellationToken.ThrowIfCancellationRequested();
    }

    /// <summary>Disposes what is prepared. Throws nothing of what that throws.</summary>
    public async Task DropAsync()
    {
        var (prepared, _) = (Current, Current = null);
        if (prepared is null)
        {
            return;
        }

        try
        {
            await prepared.DisposeAsync().ConfigureAwait(false);
        }
        catch (Exception exception)
        {
            // What is of the user's is said, and keeps no lock.
            log.PreparedFailed(exception);
        }
    }
}
