using Coordination.Leases;
using Coordination.Nodes;
using Coordination.Telemetry;
using Coordination.Time;
using Coordination.Waiting;

namespace Coordination.Locks;

/// <summary>This node's provider.</summary>
internal sealed partial class LockProvider(Node node, Acquirer acquirer, LockSets sets, WaitingRoom room, NodeChannel channel, Watchdog watchdog, BackgroundTasks background, TelemetryDispatcher telemetry) : ILockProvider, IAsyncDisposable, IDisposable
{
    private static readonly TimeSpan FlushLimit = TimeSpan.FromSeconds(1);

    private int _isDisposed;

    public string NodeId => node.Id;

    public ILock GetLock(string name, LockOptions? options = null)
    {
        LockName.Validate(name);
        LockOptionsRange.Validate(options);
        return new NamedLock(acquirer, name, owner: null, options, share: null);
    }

    public ILock GetSemaphore(string name, int permits, LockOptions? options = null)
    {
        var share = LockShare.PermitOf(permits);
        ValidateShared(name, share, options);
        return new NamedLock(acquirer, name, owner: null, options, share);
    }

    public IReaderWriterLock GetReaderWriterLock(string name, LockOptions? options = null)
    {
        ValidateShared(name, LockShare.Read, options);
        return new NamedReaderWriterLock(acquirer, name, options);
    }

    public LockOwner CreateOwner() => node.CreateOwner();

    /// <summary>Ends the waits, waits for releases under way, and ends the watchdog; leases that are held still are lost.</summary>
    public async ValueTask DisposeAsync()
    {
        if (Interlocked.Exchange(ref _isDisposed, 1) != 0)
        {
            return;
        }

        acquirer.Dispose();
        room.Dispose();
        await channel.DisposeAsync().ConfigureAwait(false);
        await background.DrainAsync(node.ReleaseTimeout).ConfigureAwait(false);
        watchdog.Dispose();

        // The sinks are disposed next. One that blocks keeps nobody from ending.
        await telemetry.FlushAsync(FlushLimit).ConfigureAwait(false);
    }

    private void ValidateShared(string name, LockShare share, LockOptions? options)
    {
        LockName.Validate(name);
        LockOptionsRange.Validate(options);
        LockOptionsRange.ValidateShared(name, share, options);
        acquirer.ThrowIfExclusiveOnly(name);
    }

    /// <summary>As <see cref="DisposeAsync"/>, for a container that is disposed synchronously: waits for nothing.</summary>
    public void Dispose()
    {
        if (Interlocked.Exchange(ref _isDisposed, 1) == 0)
        {
            acquirer.Dispose();
            room.Dispose();
            background.End();
            watchdog.Dispose();
        }
    }
}
