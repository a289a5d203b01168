using Coordination.Leases;
using Coordination.Nodes;
using Coordination.Time;
using Coordination.Waiting;

namespace Coordination.Locks;

/// <summary>This node's provider.</summary>
internal sealed class LockProvider(NodeIdentity node, Acquisition acquisition, WaitingRoom room, Watchdog watchdog, BackgroundTasks background, CoordinationOptions options) : ILockProvider, IAsyncDisposable, IDisposable
{
    private int _isDisposed;

    public string NodeId => node.Id;

    public ILock GetLock(string name, LockOptions? options = null)
    {
        LockName.Validate(name);
        Validate(options);
        return new NamedLock(acquisition, name, owner: null, options);
    }

    public LockOwner CreateOwner() => node.CreateOwner();

    /// <summary>Ends the waiters, waits for releases under way, and ends the watchdog; leases that are held still are lost.</summary>
    public async ValueTask DisposeAsync()
    {
        if (Interlocked.Exchange(ref _isDisposed, 1) != 0)
        {
            return;
        }

        acquisition.Dispose();
        await room.DisposeAsync().ConfigureAwait(false);
        await background.DrainAsync(options.ReleaseTimeout).ConfigureAwait(false);
        watchdog.Dispose();
    }

    /// <summary>As <see cref="DisposeAsync"/>, for a container that is disposed synchronously: waits for nothing.</summary>
    public void Dispose()
    {
        if (Interlocked.Exchange(ref _isDisposed, 1) == 0)
        {
            acquisition.Dispose();
            room.Dispose();
            watchdog.Dispose();
        }
    }

    private static void Validate(LockOptions? options)
    {
        if (options?.LeaseDuration is { } duration && (duration < LeaseTimings.MinDuration || duration > LeaseTimings.MaxDuration))
        {
            throw new ArgumentOutOfRangeException(nameof(options), duration, $"A lease duration is from {LeaseTimings.MinDuration} to {LeaseTimings.MaxDuration}.");
        }

        if (options?.LockAtLeastFor is { } atLeast && (atLeast <= TimeSpan.Zero || atLeast > LeaseTimings.MaxDuration))
        {
            throw new ArgumentOutOfRangeException(nameof(options), atLeast, $"LockAtLeastFor is greater than zero and at most {LeaseTimings.MaxDuration}, or null for not at all.");
        }

        if (options?.MaxHold is { } hold && hold <= TimeSpan.Zero)
        {
            throw new ArgumentOutOfRangeException(nameof(options), hold, "MaxHold is greater than zero, or null for no limit.");
        }
    }
}
