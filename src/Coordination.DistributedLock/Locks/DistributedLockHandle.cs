using System.Diagnostics.CodeAnalysis;
using Medallion.Threading;

namespace Coordination.DistributedLock.Locks;

/// <summary>
/// A lease as a handle. It alone refers to the lease: when it is collected without having been disposed the lease is, too, is renewed
/// no longer, and lapses.
/// </summary>
[SuppressMessage("Design", "CA1063:Implement IDisposable correctly", Justification = "There is nothing for a finalizer: the lease has its own.")]
[SuppressMessage("Usage", "CA1816:Dispose methods should call SuppressFinalize", Justification = "There is no finalizer.")]
internal class DistributedLockHandle(ILockLease lease) : IDistributedSynchronizationHandle
{
    private volatile bool _isDisposed;

    /// <summary>What the handle stands for.</summary>
    public virtual ILockLease Lease => lease;

    public CancellationToken HandleLostToken
    {
        get
        {
            ThrowIfDisposed();
            return Lost;
        }
    }

    /// <summary>Cancelled when the handle can no longer be relied on.</summary>
    protected virtual CancellationToken Lost => lease.Lost;

    protected bool IsDisposed => _isDisposed;

    public static IDistributedSynchronizationHandle Of(ILockLease lease) => new DistributedLockHandle(lease);

    /// <summary>Releases the lease. Whoever comes second waits for the same release.</summary>
    public async ValueTask DisposeAsync()
    {
        _isDisposed = true;
        await ReleaseAsync().ConfigureAwait(false);
    }

    /// <inheritdoc cref="DisposeAsync"/>
    public void Dispose()
    {
        _isDisposed = true;
        Blocking.Run(ReleaseAsync);
    }

    protected void ThrowIfDisposed() => ObjectDisposedException.ThrowIf(_isDisposed, this);

    /// <summary>Releases, as often as it is called, and throws for nothing that the store does.</summary>
    protected virtual Task<ReleaseResult> ReleaseAsync() => lease.ReleaseAsync(CancellationToken.None);
}
