namespace Coordination.DistributedLock.Locks;

/// <summary>The four ways to acquire that each of the interfaces has. Each acquisition has an owner of its own, so nothing is re-entered.</summary>
/// <param name="inner">What is acquired.</param>
/// <param name="handleOf">Makes the handle of a lease.</param>
internal sealed class Acquisition<THandle>(ILock inner, Func<ILockLease, THandle> handleOf)
    where THandle : class
{
    public THandle? TryAcquire(TimeSpan timeout, CancellationToken cancellationToken)
    {
        var limit = LockWait.Limit(timeout);
        return Blocking.Run(() => TryAcquireHandleAsync(limit, cancellationToken));
    }

    public THandle Acquire(TimeSpan? timeout, CancellationToken cancellationToken)
    {
        var limit = LockWait.Limit(timeout);
        return Blocking.Run(() => AcquireHandleAsync(limit, cancellationToken));
    }

    // These are not asynchronous methods themselves: a timeout that is out of range is thrown at the caller, and a token that is
    // cancelled already comes out of the task.
    public ValueTask<THandle?> TryAcquireAsync(TimeSpan timeout, CancellationToken cancellationToken) =>
        new(TryAcquireHandleAsync(LockWait.Limit(timeout), cancellationToken));

    public ValueTask<THandle> AcquireAsync(TimeSpan? timeout, CancellationToken cancellationToken) =>
        new(AcquireHandleAsync(LockWait.Limit(timeout), cancellationToken));

    private async Task<THandle?> TryAcquireHandleAsync(TimeSpan limit, CancellationToken cancellationToken) =>
        await inner.TryAcquireWithinAsync(limit, cancellationToken).ConfigureAwait(false) is { } lease ? handleOf(lease) : null;

    private async Task<THandle> AcquireHandleAsync(TimeSpan limit, CancellationToken cancellationToken) =>
        handleOf(await inner.AcquireAsync(limit, cancellationToken).ConfigureAwait(false));
}
