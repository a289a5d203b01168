namespace Coordination;

/// <summary>
/// A named resource that many may hold to read, or one to write, in all processes that share a store.
/// </summary>
/// <remarks>
/// <para>Whoever came first is served first, whatever it wants: a writer that waits is not overtaken by readers that came later, and readers behind it wait with it.</para>
/// <para>No lease is re-entered: each acquisition has an owner of its own, and <see cref="ILock.WithOwner"/> throws. A flow of work that reads and then asks to read again, with a writer
/// waiting between, would wait for itself for ever; so would one that reads and asks to write. What can go from reading to writing without that is <see cref="UpgradeableRead"/>, of
/// which there is one at a time.</para>
/// <para>All who use the name use it in this way: as long as others hold it or wait for it as another kind of lock, <see cref="LockStoreException"/> is thrown, which names both.</para>
/// <para>Implemented by this library alone; members may be added.</para>
/// </remarks>
/// <example>
/// <code>
/// var prices = provider.GetReaderWriterLock("prices");
/// await using (await prices.Read.AcquireAsync(token))
/// {
///     // Beside other readers.
/// }
///
/// await using var reading = await prices.UpgradeableRead.AcquireAsync(token);
/// if (await AreOldAsync())
/// {
///     await using var writing = await prices.Upgrade(reading).AcquireAsync(token);
///     await RefreshAsync(writing.FencingToken);
/// }
/// </code>
/// </example>
public interface IReaderWriterLock
{
    /// <summary>The name of the lock.</summary>
    string Name { get; }

    /// <summary>To read, beside others who read.</summary>
    ILock Read { get; }

    /// <summary>To read, beside others who read, as the one of them that may go on to write: see <see cref="Upgrade"/>.</summary>
    ILock UpgradeableRead { get; }

    /// <summary>To write, with nobody beside.</summary>
    ILock Write { get; }

    /// <summary>
    /// To write without letting go of an upgradeable read: waits until the other readers have gone, and no other writes meanwhile. It is a lease of its own, with a
    /// token of its own; once it is released, the reader reads on, and others may read beside it.
    /// </summary>
    /// <remarks>
    /// It goes before all who wait, which have to wait for its reader anyway. Release it before the lease that it is of: a lease to write stands by itself also when its reader
    /// has gone. Where the read is lost before the upgrade was granted, <see cref="LeaseLostException"/> is thrown.
    /// </remarks>
    /// <param name="lease">A lease of <see cref="UpgradeableRead"/>, from this provider.</param>
    /// <exception cref="ArgumentNullException"><paramref name="lease"/> is null.</exception>
    /// <exception cref="ArgumentException">It is a lease of something else. A lease of <see cref="Read"/> cannot be upgraded: two readers that both wanted that would wait for each other.</exception>
    ILock Upgrade(ILockLease lease);
}
