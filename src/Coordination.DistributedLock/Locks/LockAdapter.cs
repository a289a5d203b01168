using Medallion.Threading;

namespace Coordination.DistributedLock.Locks;

/// <summary>A lock as an <see cref="IDistributedLock"/>. Each acquisition has an owner of its own, so it is not re-entered.</summary>
internal sealed class LockAdapter(ILock inner) : IDistributedLock
{
    private static readonly DurationRange Timeouts = DurationRange.UpToTimer(TimeSpan.FromMilliseconds(int.MaxValue));

    public string Name => inner.Name;

    public IDistributedSynchronizationHandle? TryAcquire(TimeSpan timeout = default, CancellationToken cancellationToken = default)
    {
        timeout = InWholeMilliseconds(timeout);
        return Blocking.Run(() => TryAcquireHandleAsync(timeout, cancellationToken));
    }

    public IDistributedSynchronizationHandle Acquire(TimeSpan? timeout = null, CancellationToken cancellationToken = default)
    {
        var limit = InWholeMilliseconds(timeout ?? Timeout.InfiniteTimeSpan);
        return Blocking.Run(() => AcquireHandleAsync(limit, cancellationToken));
    }

    // These are not asynchronous methods themselves: a timeout that is out of range is thrown at the caller, and a token that is
    // cancelled already comes out of the task.
    public ValueTask<IDistributedSynchronizationHandle?> TryAcquireAsync(TimeSpan timeout = default, CancellationToken cancellationToken = default) =>
        new(TryAcquireHandleAsync(InWholeMilliseconds(timeout), cancellationToken));

    public ValueTask<IDistributedSynchronizationHandle> AcquireAsync(TimeSpan? timeout = null, CancellationToken cancellationToken = default) =>
        new(AcquireHandleAsync(InWholeMilliseconds(timeout ?? Timeout.InfiniteTimeSpan), cancellationToken));

    private async Task<IDistributedSynchronizationHandle?> TryAcquireHandleAsync(TimeSpan timeout, CancellationToken cancellationToken)
    {
        try
        {
            return await inner.TryAcquireAsync(timeout, cancellationToken).ConfigureAwait(false) is { } lease ? new DistributedLockHandle(lease) : null;
        }
        catch (LockStoreException away) when (away.IsTransient && timeout != TimeSpan.Zero)
        {
            // DistributedLock's contract: null when the time is up, whatever it went by with.
            return null;
        }
    }

    private async Task<IDistributedSynchronizationHandle> AcquireHandleAsync(TimeSpan timeout, CancellationToken cancellationToken) =>
        new DistributedLockHandle(await inner.AcquireAsync(timeout, cancellationToken).ConfigureAwait(false));

    /// <summary>Counts as DistributedLock does, and <see cref="Task.Wait(TimeSpan)"/>: a fraction of a millisecond is none.</summary>
    private static TimeSpan InWholeMilliseconds(TimeSpan timeout)
    {
        var whole = new TimeSpan(timeout.Ticks - (timeout.Ticks % TimeSpan.TicksPerMillisecond));
        return Timeouts.Contains(whole) ? whole : throw new ArgumentOutOfRangeException(nameof(timeout), timeout, Timeouts.FindError(nameof(timeout), timeout));
    }
}
