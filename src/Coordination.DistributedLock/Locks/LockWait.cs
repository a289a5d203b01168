namespace Coordination.DistributedLock.Locks;

/// <summary>How long a call waits for a lock, and what it gets when the time is up, as DistributedLock has it.</summary>
internal static class LockWait
{
    private static readonly DurationRange Timeouts = DurationRange.UpToTimer(TimeSpan.FromMilliseconds(int.MaxValue));

    /// <summary>Counts as DistributedLock does, and <see cref="Task.Wait(TimeSpan)"/>: a fraction of a millisecond is none.</summary>
    public static TimeSpan Limit(TimeSpan timeout)
    {
        var whole = new TimeSpan(timeout.Ticks - (timeout.Ticks % TimeSpan.TicksPerMillisecond));
        return Timeouts.Contains(whole) ? whole : throw new ArgumentOutOfRangeException(nameof(timeout), timeout, Timeouts.FindError(nameof(timeout), timeout));
    }

    /// <inheritdoc cref="Limit(TimeSpan)"/>
    public static TimeSpan Limit(TimeSpan? timeout) => Limit(timeout ?? Timeout.InfiniteTimeSpan);

    /// <summary>DistributedLock's contract: null when the time is up, whatever it went by with.</summary>
    public static async Task<ILockLease?> TryAcquireWithinAsync(this ILock inner, TimeSpan limit, CancellationToken cancellationToken)
    {
        try
        {
            return await inner.TryAcquireAsync(limit, cancellationToken).ConfigureAwait(false);
        }
        catch (LockStoreException away) when (away.IsTransient && limit != TimeSpan.Zero)
        {
            return null;
        }
    }
}
