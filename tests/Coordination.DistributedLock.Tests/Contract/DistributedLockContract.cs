using Coordination.TestKit.Nodes;
using Medallion.Threading;
using Microsoft.Extensions.DependencyInjection;

namespace Coordination.DistributedLock.Tests.Contract;

/// <summary>What code that was written for DistributedLock relies on of a lock. A store's tests inherit it.</summary>
public abstract partial class DistributedLockContract(SharedStore store) : AdapterContract(store)
{
    /// <summary>A lock of the test's name on the first node. Each is an object of its own.</summary>
    private IDistributedLock Mine => LocksOf(First).CreateLock(Name);

    /// <summary>The same lock on the other node.</summary>
    private IDistributedLock Theirs => LocksOf(Second).CreateLock(Name);

    private static IDistributedLockProvider LocksOf(Node node) => node.Services.GetRequiredService<IDistributedLockProvider>();

    private static async Task<IDistributedSynchronizationHandle> AcquireAsync(IDistributedLock @lock) =>
        await @lock.AcquireAsync(LongTime, Cancellation).AsTask().WaitAsync(Bound, Cancellation);
}
