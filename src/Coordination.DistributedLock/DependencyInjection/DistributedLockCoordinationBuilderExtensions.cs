using Coordination;
using Coordination.DistributedLock.Locks;
using Medallion.Threading;

namespace Microsoft.Extensions.DependencyInjection;

/// <summary>Registers this node's locks under the interfaces of DistributedLock.</summary>
public static class DistributedLockCoordinationBuilderExtensions
{
    /// <summary>
    /// Registers an <see cref="IDistributedLockProvider"/>, an <see cref="IDistributedSemaphoreProvider"/>, an <see cref="IDistributedReaderWriterLockProvider"/> and an
    /// <see cref="IDistributedUpgradeableReaderWriterLockProvider"/> whose locks are those of <see cref="ILockProvider"/>: a lock of the same name is the same lock, whichever of
    /// them acquires it.
    /// </summary>
    /// <remarks>
    /// <para>Where a provider of one of these kinds is registered already, it stays and none of its kind is added: remove that
    /// registration. The two for readers and writers are one kind, so that a name is never two locks. So a second call changes nothing.</para>
    /// <para>Any text but null is a lock's name. What <see cref="ILockProvider.GetLock"/> would refuse (no text at all, more than 512 bytes of UTF-8,
    /// control characters, braces, half a surrogate pair) becomes what can be read of it, a tilde and a hash, always the same;
    /// <see cref="IDistributedLock.Name"/> shows it.</para>
    /// <para>A name is used in one way at a time. As long as others hold it or wait for it as another kind of lock, or as a semaphore with another number of tickets, each way to
    /// acquire it throws <see cref="LockStoreException"/>, which names both. Where the store keeps exclusive locks only, creating a lock of the other kinds throws
    /// <see cref="NotSupportedException"/>.</para>
    /// <para>A semaphore has 1 to <see cref="LockCapacity.MaxPermits"/> tickets; <see cref="IDistributedSemaphoreProvider.CreateSemaphore"/> throws
    /// <see cref="ArgumentOutOfRangeException"/> for any other number.</para>
    /// <para>A handle that can be upgraded is upgraded once, and stays so until it is disposed: asking again throws <see cref="InvalidOperationException"/>, also while another call waits
    /// for it. An upgrade that was not granted in its time leaves the handle a reader. Where the read was lost meanwhile, it throws <see cref="LeaseLostException"/>. The handle's
    /// <see cref="IDistributedSynchronizationHandle.HandleLostToken"/> is cancelled when either of its leases is lost, by the thread pool: with every thread of that blocked,
    /// <see cref="ILease.State"/> of <see cref="DistributedSynchronizationHandleExtensions.GetLease"/> says so earlier. Disposing it releases both, and ends an upgrade
    /// that is being waited for with <see cref="ObjectDisposedException"/>.</para>
    /// <para>With the store away, a wait goes on until its time is up; a call with a timeout of zero throws <see cref="LockStoreException"/>
    /// after a few tries, because it cannot say whether the lock is free. Disposing a handle never throws for that, nor because the lock was lost:
    /// it gives up after <see cref="CoordinationOptions.ReleaseTimeout"/> at most, and the lock lapses by itself.</para>
    /// <para>A handle that is collected without having been disposed is renewed no longer, and its lock lapses within the lease duration.</para>
    /// </remarks>
    /// <param name="builder">From <c>AddCoordination</c>. Of a node with a name, the providers are registered under that as their key.</param>
    /// <param name="lockOptions">
    /// Says how the leases of a lock differ from the node's defaults, by the name that is given to <see cref="IDistributedLockProvider.CreateLock"/> or its like for the other kinds;
    /// null, or what returns null, for not at all. Called for each lock that is created, on any thread. Options that are out of range make
    /// that throw an <see cref="ArgumentOutOfRangeException"/>, and <see cref="LockOptions.AllowBarging"/>, which is for exclusive locks, an <see cref="ArgumentException"/> for the others.
    /// </param>
    /// <returns>The builder.</returns>
    /// <exception cref="ArgumentNullException"><paramref name="builder"/> is null.</exception>
    public static ICoordinationBuilder AddDistributedLockProvider(this ICoordinationBuilder builder, Func<string, LockOptions?>? lockOptions = null)
    {
        ArgumentNullException.ThrowIfNull(builder);
        builder.TryAddSingleton(node => new LockProviderAdapter(node.GetRequired<ILockProvider>(), lockOptions));
        builder.TryAddSingleton<IDistributedLockProvider>(node => node.GetRequired<LockProviderAdapter>());
        builder.TryAddSingleton<IDistributedSemaphoreProvider>(node => node.GetRequired<LockProviderAdapter>());
        if (!builder.Has<IDistributedReaderWriterLockProvider>() && !builder.Has<IDistributedUpgradeableReaderWriterLockProvider>())
        {
            builder.TryAddSingleton<IDistributedReaderWriterLockProvider>(node => node.GetRequired<LockProviderAdapter>());
            builder.TryAddSingleton<IDistributedUpgradeableReaderWriterLockProvider>(node => node.GetRequired<LockProviderAdapter>());
        }

        return builder;
    }

    private static bool Has<T>(this ICoordinationBuilder builder) =>
        builder.Services.Any(service => service.ServiceType == typeof(T) && Equals(service.ServiceKey, builder.Name));
}
