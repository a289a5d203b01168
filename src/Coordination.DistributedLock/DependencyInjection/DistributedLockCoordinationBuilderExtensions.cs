using Coordination;
using Coordination.DistributedLock.Locks;
using Medallion.Threading;

namespace Microsoft.Extensions.DependencyInjection;

/// <summary>Registers this node's locks under the interfaces of DistributedLock.</summary>
public static class DistributedLockCoordinationBuilderExtensions
{
    /// <summary>
    /// Registers an <see cref="IDistributedLockProvider"/> whose locks are those of <see cref="ILockProvider"/>: a lock of the same name is
    /// the same lock, whichever of the two acquires it.
    /// </summary>
    /// <remarks>
    /// <para>Where an <see cref="IDistributedLockProvider"/> is registered already, it stays and nothing is added: remove that
    /// registration. So a second call changes nothing.</para>
    /// <para>Any text but null is a lock's name. What <see cref="ILockProvider.GetLock"/> would refuse (no text at all, more than 512 bytes of UTF-8,
    /// control characters, braces, half a surrogate pair) becomes what can be read of it, a tilde and a hash, always the same;
    /// <see cref="IDistributedLock.Name"/> shows it.</para>
    /// <para>With the store away, a wait goes on until its time is up; a call with a timeout of zero throws <see cref="LockStoreException"/>
    /// after a few tries, because it cannot say whether the lock is free. Disposing a handle never throws for that, nor because the lock was lost:
    /// it gives up after <see cref="CoordinationOptions.ReleaseTimeout"/> at most, and the lock lapses by itself.</para>
    /// <para>A handle that is collected without having been disposed is renewed no longer, and its lock lapses within the lease duration.</para>
    /// </remarks>
    /// <param name="builder">From <c>AddCoordination</c>. Of a node with a name, the provider is registered under that as its key.</param>
    /// <param name="lockOptions">
    /// Says how the leases of a lock differ from the node's defaults, by the name that is given to <see cref="IDistributedLockProvider.CreateLock"/>;
    /// null, or what returns null, for not at all. Called for each lock that is created, on any thread. Options that are out of range make
    /// <c>CreateLock</c> throw an <see cref="ArgumentOutOfRangeException"/>.
    /// </param>
    /// <returns>The builder.</returns>
    /// <exception cref="ArgumentNullException"><paramref name="builder"/> is null.</exception>
    public static ICoordinationBuilder AddDistributedLockProvider(this ICoordinationBuilder builder, Func<string, LockOptions?>? lockOptions = null)
    {
        ArgumentNullException.ThrowIfNull(builder);
        return builder.TryAddSingleton<IDistributedLockProvider>(node => new LockProviderAdapter(node.GetRequired<ILockProvider>(), lockOptions));
    }
}
