using Medallion.Threading;

namespace Coordination.DistributedLock.Locks;

/// <summary>A lock for readers and writers as an <see cref="IDistributedUpgradeableReaderWriterLock"/>.</summary>
internal sealed class ReaderWriterLockAdapter(IReaderWriterLock inner) : IDistributedUpgradeableReaderWriterLock
{
    private readonly Acquisition<IDistributedSynchronizationHandle> _read = new(inner.Read, DistributedLockHandle.Of);
    private readonly Acquisition<IDistributedLockUpgradeableHandle> _upgradeableRead = new(inner.UpgradeableRead, lease => new UpgradeableHandle(lease, inner.Upgrade(lease)));
    private readonly Acquisition<IDistributedSynchronizationHandle> _write = new(inner.Write, DistributedLockHandle.Of);

    public string Name => inner.Name;

    public IDistributedSynchronizationHandle? TryAcquireReadLock(TimeSpan timeout = default, CancellationToken cancellationToken = default) =>
        _read.TryAcquire(timeout, cancellationToken);

    public IDistributedSynchronizationHandle AcquireReadLock(TimeSpan? timeout = null, CancellationToken cancellationToken = default) =>
        _read.Acquire(timeout, cancellationToken);

    public ValueTask<IDistributedSynchronizationHandle?> TryAcquireReadLockAsync(TimeSpan timeout = default, CancellationToken cancellationToken = default) =>
        _read.TryAcquireAsync(timeout, cancellationToken);

    public ValueTask<IDistributedSynchronizationHandle> AcquireReadLockAsync(TimeSpan? timeout = null, CancellationToken cancellationToken = default) =>
        _read.AcquireAsync(timeout, cancellationToken);

    public IDistributedLockUpgradeableHandle? TryAcquireUpgradeableReadLock(TimeSpan timeout = default, CancellationToken cancellationToken = default) =>
        _upgradeableRead.TryAcquire(timeout, cancellationToken);

    public IDistributedLockUpgradeableHandle AcquireUpgradeableReadLock(TimeSpan? timeout = null, CancellationToken cancellationToken = default) =>
        _upgradeableRead.Acquire(timeout, cancellationToken);

    public ValueTask<IDistributedLockUpgradeableHandle?> TryAcquireUpgradeableReadLockAsync(TimeSpan timeout = default, CancellationToken cancellationToken = default) =>
        _upgradeableRead.TryAcquireAsync(timeout, cancellationToken);

    public ValueTask<IDistributedLockUpgradeableHandle> AcquireUpgradeableReadLockAsync(TimeSpan? timeout = null, CancellationToken cancellationToken = default) =>
        _upgradeableRead.AcquireAsync(timeout, cancellationToken);

    public IDistributedSynchronizationHandle? TryAcquireWriteLock(TimeSpan timeout = default, CancellationToken cancellationToken = default) =>
        _write.TryAcquire(timeout, cancellationToken);

    public IDistributedSynchronizationHandle AcquireWriteLock(TimeSpan? timeout = null, CancellationToken cancellationToken = default) =>
        _write.Acquire(timeout, cancellationToken);

    public ValueTask<IDistributedSynchronizationHandle?> TryAcquireWriteLockAsync(TimeSpan timeout = default, CancellationToken cancellationToken = default) =>
        _write.TryAcquireAsync(timeout, cancellationToken);

    public ValueTask<IDistributedSynchronizationHandle> AcquireWriteLockAsync(TimeSpan? timeout = null, CancellationToken cancellationToken = default) =>
        _write.AcquireAsync(timeout, cancellationToken);
}
