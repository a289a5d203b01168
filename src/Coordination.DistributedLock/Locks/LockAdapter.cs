using Medallion.Threading;

namespace Coordination.DistributedLock.Locks;

/// <summary>A lock as an <see cref="IDistributedLock"/>.</summary>
internal sealed class LockAdapter(ILock inner) : IDistributedLock
{
    private readonly Acquisition<IDistributedSynchronizationHandle> _calls = new(inner, DistributedLockHandle.Of);

    public string Name => inner.Name;

    public IDistributedSynchronizationHandle? TryAcquire(TimeSpan timeout = default, CancellationToken cancellationToken = default) =>
        _calls.TryAcquire(timeout, cancellationToken);

    public IDistributedSynchronizationHandle Acquire(TimeSpan? timeout = null, CancellationToken cancellationToken = default) =>
        _calls.Acquire(timeout, cancellationToken);

    public ValueTask<IDistributedSynchronizationHandle?> TryAcquireAsync(TimeSpan timeout = default, CancellationToken cancellationToken = default) =>
        _calls.TryAcquireAsync(timeout, cancellationToken);

    public ValueTask<IDistributedSynchronizationHandle> AcquireAsync(TimeSpan? timeout = null, CancellationToken cancellationToken = default) =>
        _calls.AcquireAsync(timeout, cancellationToken);
}
