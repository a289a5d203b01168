namespace Coordination;

/// <summary>
/// A granted lock: who holds it, its fencing token, and a deadline on the holder's own monotonic clock. It is renewed
/// automatically until it is released, lost, or older than <see cref="LockOptions.MaxHold"/>. Disposing it releases it.
/// </summary>
/// <remarks>
/// <para>What the lease promises while the process is being scheduled: <see cref="Lost"/> is cancelled at least the safety margin
/// before the store can grant the lock to anyone else. What no signal can promise: a process that is paused for longer than the
/// lease does not run, so it is told only when it wakes. Pass <see cref="FencingToken"/> to the resource, and let the resource
/// refuse a token that is lower than one it has seen.</para>
/// <para>Keep the lease referenced while you rely on it: a lease that was collected without being released is no longer renewed.</para>
/// <para>Implemented by this library alone; members may be added.</para>
/// </remarks>
public interface ILockLease : IAsyncDisposable
{
    /// <summary>The name of the lock.</summary>
    string LockName { get; }

    /// <summary>Who holds the lock.</summary>
    LockOwner Owner { get; }

    /// <summary>
    /// A number that is greater than that of every earlier grant of the same lock, also after the store lost its data. The same
    /// for all leases of one owner that re-entered the lock.
    /// </summary>
    long FencingToken { get; }

    /// <summary>
    /// Cancelled when the lease can no longer be relied on. Not cancelled by an orderly release. The token turns cancelled on time
    /// even when the thread pool is exhausted; callbacks that are registered on it run on the pool, when it has a thread for them.
    /// </summary>
    CancellationToken Lost { get; }

    /// <summary>Why the lease was lost; null while it is not.</summary>
    LeaseLossReason? LossReason { get; }

    /// <summary>The state at this moment. Reading it compares the deadline with the clock, so it is true also right after a pause.</summary>
    LeaseState State { get; }

    /// <summary>
    /// How long the lease can still be relied on if no renewal succeeds from now on, on the holder's own clock and less the
    /// safety margin. Zero when it is lost or released.
    /// </summary>
    TimeSpan Remaining { get; }

    /// <summary>Renews the lease now, beside the automatic renewal.</summary>
    /// <param name="cancellationToken">Ends the wait for the result; the renewal may still take place.</param>
    /// <returns>
    /// Whether the lease stands. <see cref="RenewalResult.Unknown"/> is not a no: the store could not be asked, and the lease
    /// holds until its deadline.
    /// </returns>
    /// <exception cref="OperationCanceledException">The token was cancelled.</exception>
    Task<RenewalResult> RenewAsync(CancellationToken cancellationToken = default);

    /// <summary>
    /// Releases the lease: renewals stop, one that is under way is awaited, and then the lock passes to the next waiter. Never
    /// touches a lock that another owner holds by now, however late or often it is called, and never throws because the store is away.
    /// </summary>
    /// <param name="cancellationToken">
    /// Ends the wait for the result. The release is sent all the same, also when the token is cancelled already.
    /// </param>
    /// <returns>What the release found.</returns>
    /// <exception cref="OperationCanceledException">The token was cancelled; the release goes on without the caller.</exception>
    Task<ReleaseResult> ReleaseAsync(CancellationToken cancellationToken = default);
}
