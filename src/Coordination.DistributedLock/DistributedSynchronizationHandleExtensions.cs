using Coordination.DistributedLock.Locks;
using Medallion.Threading;

namespace Coordination;

/// <summary>What a handle has that the interfaces of DistributedLock do not show.</summary>
public static class DistributedSynchronizationHandleExtensions
{
    /// <summary>
    /// The lease behind a handle, for its <see cref="ILease.FencingToken"/>, <see cref="ILease.Remaining"/> or
    /// <see cref="ILease.LossReason"/>, and of a semaphore its <see cref="ILease.Permit"/>. It stays readable after the handle was disposed. Only disposing the handle releases it.
    /// </summary>
    /// <remarks>A handle that was upgraded has two. This is the one to write, with the higher token; before the upgrade it was the one to read.</remarks>
    /// <param name="handle">A handle.</param>
    /// <returns>Null for a handle that is not of this project, also for one that combines several locks.</returns>
    /// <exception cref="ArgumentNullException"><paramref name="handle"/> is null.</exception>
    public static ILease? GetLease(this IDistributedSynchronizationHandle handle)
    {
        ArgumentNullException.ThrowIfNull(handle);
        return (handle as DistributedLockHandle)?.Lease.AsReadOnly();
    }
}
