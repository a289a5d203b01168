using Medallion.Threading;

namespace Coordination.DistributedLock.Locks;

/// <summary>A node's locks as an <see cref="IDistributedLockProvider"/>, which takes any text for a name.</summary>
internal sealed class LockProviderAdapter(ILockProvider locks, Func<string, LockOptions?>? lockOptions) : IDistributedLockProvider
{
    public IDistributedLock CreateLock(string name)
    {
        ArgumentNullException.ThrowIfNull(name);
        return new LockAdapter(locks.GetLock(SafeName.Of(name), lockOptions?.Invoke(name)));
    }
}
