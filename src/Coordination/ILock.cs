namespace Coordination;

/// <summary>
/// A named resource that one owner may hold at a time, in all processes that share a store; or, of a semaphore or of a lock for readers and writers, as many as its capacity lets in.
/// </summary>
/// <remarks>
/// <para>Each acquisition has an owner of its own, so a lock is <b>not</b> re-entered by accident: the same thread, or the same
/// asynchronous flow, that asks twice waits for itself. Where re-entry is wanted, say so with <see cref="WithOwner"/>.</para>
/// <para>Waiters are served in the order in which they came. Several calls for one exclusive lock in one process share one place in the
/// queue and are served among themselves in the order in which they came. Of a lock that several may hold they have as many as could be served at the same time, up to 64.</para>
/// <para>With the store away, the methods that wait go on trying until their time is up. Null then says that another held the lock when it was asked for last.
/// Where the last thing known of the lock is that it could not be asked for (the last call failed, waits because those of others fail, or has had no reply for a
/// second), <see cref="TryAcquireAsync(TimeSpan, CancellationToken)"/> throws <see cref="LockStoreException"/>. <see cref="TryAcquireAsync(CancellationToken)"/>
/// throws <see cref="LockStoreException"/> after a few tries, or after a third of the lease duration in which it had no turn, because it cannot say whether
/// the lock is free.</para>
/// <para>Implemented by this library alone; members may be added.</para>
/// </remarks>
public interface ILock
{
    /// <summary>The name of the lock.</summary>
    string Name { get; }

    /// <summary>
    /// The same lock, acquired as <paramref name="owner"/>: while the owner holds the lock it acquires it again at once and with
    /// the same fencing token, and the lock is free after as many releases.
    /// </summary>
    /// <param name="owner">From <see cref="ILockProvider.CreateOwner"/>. Pass it to the code that may re-enter.</param>
    /// <exception cref="ArgumentNullException"><paramref name="owner"/> is null.</exception>
    /// <exception cref="ArgumentException">The owner is of another provider.</exception>
    /// <exception cref="NotSupportedException">The lock is one that several may hold at a time: it is not re-entered.</exception>
    ILock WithOwner(LockOwner owner);

    /// <summary>
    /// The same lock, for what stands by for as long as the process lives, such as a service of which one node at a time does the work. Its waits are told apart from
    /// calls in the metrics, and have no trace, which would last for weeks; what is granted has one.
    /// </summary>
    ILock AsStandby() => this;

    /// <summary>
    /// Tries once, and returns at once. It throws about a second after it is known that the store is away; the first that meets one that hangs does within a
    /// renewal interval, retries included.
    /// </summary>
    /// <param name="cancellationToken">Ends the try. A grant that comes in the same moment is undone.</param>
    /// <returns>The lease, or null when another owner holds the lock or waits for it already.</returns>
    /// <exception cref="OperationCanceledException">The token was cancelled.</exception>
    /// <exception cref="LockStoreException">The store could not reply (the retries of the acquisition pipeline included).</exception>
    /// <exception cref="ObjectDisposedException">The provider was disposed.</exception>
    Task<ILockLease?> TryAcquireAsync(CancellationToken cancellationToken = default);

    /// <summary>Waits for the lock, for at most <paramref name="timeout"/>.</summary>
    /// <param name="timeout">
    /// From zero, which is one try, to 49 days; or <see cref="Timeout.InfiniteTimeSpan"/>.
    /// </param>
    /// <param name="cancellationToken">Ends the wait and leaves the queue. A grant that comes in the same moment is passed on.</param>
    /// <returns>The lease, or null when the time was up and another owner held the lock.</returns>
    /// <exception cref="ArgumentOutOfRangeException">The timeout is not in its range.</exception>
    /// <exception cref="OperationCanceledException">The token was cancelled.</exception>
    /// <exception cref="LockStoreException">
    /// The store refused in a way that no retry changes, such as a wrong password; or it was away when the time was up (<see cref="LockStoreException.IsTransient"/>),
    /// so that nobody can say whether the lock is free; or, with a timeout of zero, it could not reply.
    /// </exception>
    /// <exception cref="ObjectDisposedException">The provider was disposed.</exception>
    Task<ILockLease?> TryAcquireAsync(TimeSpan timeout, CancellationToken cancellationToken = default);

    /// <summary>Waits for the lock until it is granted or <paramref name="cancellationToken"/> is cancelled.</summary>
    /// <param name="cancellationToken">Ends the wait and leaves the queue. A grant that comes in the same moment is passed on.</param>
    /// <exception cref="OperationCanceledException">The token was cancelled.</exception>
    /// <exception cref="LockStoreException">The store refused in a way that no retry changes, such as a wrong password.</exception>
    /// <exception cref="ObjectDisposedException">The provider was disposed.</exception>
    Task<ILockLease> AcquireAsync(CancellationToken cancellationToken = default);

    /// <summary>Waits for the lock, for at most <paramref name="timeout"/>.</summary>
    /// <inheritdoc cref="TryAcquireAsync(TimeSpan, CancellationToken)" path="/param"/>
    /// <exception cref="TimeoutException">
    /// The time was up. Its inner exception is a <see cref="LockStoreException"/> when the store was away then.
    /// </exception>
    /// <exception cref="ArgumentOutOfRangeException">The timeout is not in its range.</exception>
    /// <exception cref="OperationCanceledException">The token was cancelled.</exception>
    /// <exception cref="LockStoreException">
    /// The store refused in a way that no retry changes, such as a wrong password; or, with a timeout of zero, could not reply.
    /// </exception>
    /// <exception cref="ObjectDisposedException">The provider was disposed.</exception>
    Task<ILockLease> AcquireAsync(TimeSpan timeout, CancellationToken cancellationToken = default);
}
