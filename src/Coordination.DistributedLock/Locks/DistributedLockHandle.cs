using Medallion.Threading;

namespace Coordination.DistributedLock.Locks;

/// <summary>
/// A lease as a handle. It alone refers to the lease: when it is collected without having been disposed the lease is, too, is renewed
/// no longer, and lapses.
/// </summary>
internal sealed class DistributedLockHandle(ILockLease lease) : IDistributedSynchronizationHandle
{
    private volatile bool _isDisposed;

    public ILockLease Lease => lease;

    public CancellationToken HandleLostToken
    {
        get
        {
            ObjectDisposedException.ThrowIf(_isDisposed, this);
            return lease.Lost;
        }
    }

    /// <summary>Releases the lease. Whoever comes second waits for the same release.</summary>
    public async ValueTask DisposeAsync()
    {
        _isDisposed = true;
        await lease.ReleaseAsync(CancellationToken.None).ConfigureAwait(false);
    }

    /// <inheritdoc cref="DisposeAsync"/>
    public void Dispose()
    {
        _isDisposed = true;
        Blocking.Run(() => lease.ReleaseAsync(CancellationToken.None));
    }
}
