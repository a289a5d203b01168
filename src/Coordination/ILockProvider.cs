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

    /// <summary>
    /// Makes an owner that is unlike every other one, to be passed to <see cref="ILock.WithOwner"/> where one flow of work must be
    /// able to enter a lock that it holds already.
    /// </summary>
    LockOwner CreateOwner();
}
