using Medallion.Threading;

namespace Coordination.DistributedLock.Locks;

/// <summary>A semaphore as an <see cref="IDistributedSemaphore"/>: its tickets are permits.</summary>
internal sealed class SemaphoreAdapter(ILock inner, int maxCount) : IDistributedSemaphore
{
    private readonly Acquisition<IDistributedSynchronizationHandle> _calls = new(inner, DistributedLockHandle.Of);

    public string Name => inner.Name;

    public int MaxCount => maxCount;

    public IDistributedSynchronizationHandle? TryAcquire(TimeSpan timeout = default, CancellationToken cancellationToken = default) =>
        _calls.TryAcquire(timeout, cancellationToken);

    public IDistributedSynchronizationHandle Acquire(TimeSpan? timeout = null, CancellationToken cancellationToken = default) =>
        _calls.Acquire(timeout, cancellationToken);

    public ValueTask<IDistributedSynchronizationHandle?> TryAcquireAsync(TimeSpan timeout = default, CancellationToken cancellationToken = default) =>
        _calls.TryAcquireAsync(timeout, cancellationToken);

    public ValueTask<IDistributedSynchronizationHandle> AcquireAsync(TimeSpan? timeout = null, CancellationToken cancellationToken = default) =>
        _calls.AcquireAsync(timeout, cancellationToken);
}
