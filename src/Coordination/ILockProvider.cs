namespace Coordination;

/// <summary>Gives locks by name. One provider stands for one node: all its leases share one watchdog and one store.</summary>
/// <remarks>Implemented by this library alone; members may be added.</remarks>
public interface ILockProvider
{
    /// <summary>
    /// The id of this node: host name, process id and a random part. Every owner that this provider makes carries it.
    /// </summary>
    string NodeId { get; }

    /// <summary>Gives the lock of that name. Cheap, makes no call to the store, and may be called as often as you like.</summary>
    /// <param name="name">
    /// 1 to 512 bytes of UTF-8, with no control characters and no braces (which a Redis Cluster would read as a hash tag).
    /// </param>
    /// <param name="options">How leases of this lock differ from the node's defaults; null for none.</param>
    /// <returns>The lock, which has no state of its own.</returns>
    /// <exception cref="ArgumentException">The name or an option is not in its range; the message names the value and the limit.</exception>
    ILock GetLock(string name, LockOptions? options = null);

    /// <summary>
    /// Gives the semaphore of that name: a lock that up to a number of owners may hold at a time. Cheap, makes no call to the store, and may be called as often as you like.
    /// </summary>
    /// <remarks>
    /// <para>Each lease has a <see cref="ILease.Permit"/>, a number that no other holder has at the time, and a fencing token of its own. Waiters are served in the order in which they
    /// came. The permit of a holder that died is free within its lease.</para>
    /// <para>Several hold tokens at a time, so a resource compares the token of a write with those of the same permit, and not with all: keep a fence for each <see cref="ILease.Permit"/>.</para>
    /// <para>Nobody re-enters it: <see cref="ILock.WithOwner"/> throws. Whoever asks again takes one more permit, and waits for itself where there is none.</para>
    /// <para>All who use the name use it with the same number: as long as others hold it or wait for it with another one, or as another kind of lock, <see cref="LockStoreException"/> is
    /// thrown, which names both in its message and the one in use in <see cref="LockStoreException.InUseAs"/>. So a rolling update that changes the number never lets in more than either; while it lasts,
    /// calls of both versions may be refused, and ask again or use another name.</para>
    /// </remarks>
    /// <param name="name">As for <see cref="GetLock"/>.</param>
    /// <param name="permits">How many may hold it at a time: 1 to <see cref="LockCapacity.MaxPermits"/>.</param>
    /// <param name="options">As for <see cref="GetLock"/>, without <see cref="LockOptions.AllowBarging"/>.</param>
    /// <exception cref="ArgumentException">The name, the number or an option is not in its range; the message names the value and the limit.</exception>
    /// <exception cref="NotSupportedException">The store keeps exclusive locks only.</exception>
    ILock GetSemaphore(string name, int permits, LockOptions? options = null);

    /// <summary>Gives the lock for readers and writers of that name. Cheap, makes no call to the store, and may be called as often as you like.</summary>
    /// <param name="name">As for <see cref="GetLock"/>.</param>
    /// <param name="options">As for <see cref="GetLock"/>, without <see cref="LockOptions.AllowBarging"/>.</param>
    /// <exception cref="ArgumentException">The name or an option is not in its range; the message names the value and the limit.</exception>
    /// <exception cref="NotSupportedException">The store keeps exclusive locks only.</exception>
    IReaderWriterLock GetReaderWriterLock(string name, LockOptions? options = null);

    /// <summary>Waits for several exclusive locks until all of them are granted or <paramref name="cancellationToken"/> is cancelled: all or none.</summary>
    /// <remarks>
    /// <para>They are tried for in one step first, where the store has one for these locks (Redis has, on a Cluster only for locks of one slot, and not with
    /// <c>ReplicasToWaitFor</c>). Else, and where one of them is another's, they are waited for one after the other in the ordinal order of their names, and those that are granted
    /// are held and renewed meanwhile. All who take them in this way take them in the same order, so none waits for another in a circle. That does not hold for who waits
    /// while it holds a lock that it took by itself.</para>
    /// <para>A lease that is lost before the last one is granted ends the attempt: what it has is released, and it begins again.
    /// <see cref="LockOptions.ProgressTimeout"/> counts from when all are granted, and <see cref="LockOptions.MaxHold"/> for each from its own grant.</para>
    /// </remarks>
    /// <param name="names">The locks: 1 to 100 different names, each as for <see cref="GetLock"/>, in any order.</param>
    /// <param name="options">How the leases differ from the node's defaults; null for none.</param>
    /// <param name="cancellationToken">Ends the wait. What was granted is released, and no place in a queue is kept.</param>
    /// <returns>The leases.</returns>
    /// <exception cref="ArgumentException">A name, their number or an option is not in its range, or a name comes twice.</exception>
    /// <exception cref="OperationCanceledException">The token was cancelled.</exception>
    /// <exception cref="LockStoreException">The store refused in a way that no retry changes, such as a wrong password. Nothing is held.</exception>
    /// <exception cref="ObjectDisposedException">The provider was disposed.</exception>
    Task<ILockSetLease> AcquireAllAsync(IEnumerable<string> names, LockOptions? options = null, CancellationToken cancellationToken = default);

    /// <summary>Waits for several exclusive locks, for at most <paramref name="timeout"/>: all or none.</summary>
    /// <param name="names">As for <see cref="AcquireAllAsync(IEnumerable{string}, LockOptions?, CancellationToken)"/>.</param>
    /// <param name="timeout">For all of them together: from zero, which is one try, to 49 days; or <see cref="Timeout.InfiniteTimeSpan"/>.</param>
    /// <param name="options">How the leases differ from the node's defaults; null for none.</param>
    /// <param name="cancellationToken">Ends the wait. What was granted is released, and no place in a queue is kept.</param>
    /// <inheritdoc cref="AcquireAllAsync(IEnumerable{string}, LockOptions?, CancellationToken)" path="/remarks|/returns|/exception"/>
    /// <exception cref="TimeoutException">
    /// The time was up, and nothing is held. Its inner exception is a <see cref="LockStoreException"/> when the store was away then.
    /// </exception>
    Task<ILockSetLease> AcquireAllAsync(IEnumerable<string> names, TimeSpan timeout, LockOptions? options = null, CancellationToken cancellationToken = default);

    /// <summary>Tries once to acquire several exclusive locks: all or none.</summary>
    /// <inheritdoc cref="AcquireAllAsync(IEnumerable{string}, LockOptions?, CancellationToken)" path="/remarks|/param|/exception[not(contains(@cref, 'LockStoreException'))]"/>
    /// <returns>The leases, or null when another owner holds one of the locks or waits for it already; then nothing is held.</returns>
    /// <exception cref="LockStoreException">The store could not reply (the retries of the acquisition pipeline included).</exception>
    Task<ILockSetLease?> TryAcquireAllAsync(IEnumerable<string> names, LockOptions? options = null, CancellationToken cancellationToken = default);

    /// <summary>Waits for several exclusive locks, for at most <paramref name="timeout"/>: all or none.</summary>
    /// <inheritdoc cref="AcquireAllAsync(IEnumerable{string}, TimeSpan, LockOptions?, CancellationToken)" path="/remarks|/param"/>
    /// <returns>The leases, or null when the time was up and another owner held one of the locks; then nothing is held.</returns>
    /// <exception cref="ArgumentException">A name, their number, the timeout or an option is not in its range, or a name comes twice.</exception>
    /// <exception cref="OperationCanceledException">The token was cancelled.</exception>
    /// <exception cref="LockStoreException">
    /// The store refused in a way that no retry changes; or it was away when the time was up (<see cref="LockStoreException.IsTransient"/>), so that nobody can say whether the locks
    /// are free; or, with a timeout of zero, it could not reply.
    /// </exception>
    /// <exception cref="ObjectDisposedException">The provider was disposed.</exception>
    Task<ILockSetLease?> TryAcquireAllAsync(IEnumerable<string> names, TimeSpan timeout, LockOptions? options = null, CancellationToken cancellationToken = default);

    /// <summary>
    /// Makes an owner that is unlike every other one, to be passed to <see cref="ILock.WithOwner"/> where one flow of work must be
    /// able to enter a lock that it holds already.
    /// </summary>
    LockOwner CreateOwner();
}
