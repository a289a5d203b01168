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
    /// Makes an owner that is unlike every other one, to be passed to <see cref="ILock.WithOwner"/> where one flow of work must be
    /// able to enter a lock that it holds already.
    /// </summary>
    LockOwner CreateOwner();
}
