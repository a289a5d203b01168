using Medallion.Threading;

namespace Coordination.DistributedLock.Locks;

/// <summary>A node's locks as each kind of DistributedLock's providers, which take any text for a name.</summary>
internal sealed class LockProviderAdapter(ILockProvider locks, Func<string, LockOptions?>? lockOptions)
    : IDistributedLockProvider, IDistributedSemaphoreProvider, IDistributedUpgradeableReaderWriterLockProvider
{
    public IDistributedLock CreateLock(string name)
    {
        ArgumentNullException.ThrowIfNull(name);
        return new LockAdapter(locks.GetLock(SafeName.Of(name), lockOptions?.Invoke(name)));
    }

    public IDistributedSemaphore CreateSemaphore(string name, int maxCount)
    {
        ArgumentNullException.ThrowIfNull(name);
        if (maxCount is < 1 or > LockCapacity.MaxPermits)
        {
            throw new ArgumentOutOfRangeException(nameof(maxCount), maxCount, $"{nameof(maxCount)} is {maxCount}. Set 1 to {LockCapacity.MaxPermits}.");
        }

        return new SemaphoreAdapter(locks.GetSemaphore(SafeName.Of(name), maxCount, lockOptions?.Invoke(name)), maxCount);
    }

    public IDistributedReaderWriterLock CreateReaderWriterLock(string name) => CreateUpgradeableReaderWriterLock(name);

    public IDistributedUpgradeableReaderWriterLock CreateUpgradeableReaderWriterLock(string name)
    {
        ArgumentNullException.ThrowIfNull(name);
        return new ReaderWriterLockAdapter(locks.GetReaderWriterLock(SafeName.Of(name), lockOptions?.Invoke(name)));
    }
}
