using Coordination.Stores;

namespace Coordination.Testing.Contracts.Observations;

/// <summary>What a lock has left behind, as far as the seam shows it.</summary>
internal static class Leftovers
{
    private static readonly TimeSpan Long = TimeSpan.FromSeconds(30);

    /// <summary>Whether the lock is free and its queue is empty, of dead waiters too.</summary>
    public static async Task<bool> IsNothingAsync(ILockStore store, string lockName)
    {
        var cancellation = TestContext.Current.CancellationToken;
        if (await ((ILockStoreAdministration)store).GetHolderAsync(lockName, cancellation) is not null)
        {
            return false;
        }

        var probe = new LockOwner("probe-" + Guid.NewGuid().ToString("N"), 1);
        var reply = await store.AcquireAsync(Requests.Acquire(lockName, probe, Long), cancellation);
        var waiters = await CountWaitersAsync(store, lockName);
        await store.ReleaseAsync(Requests.Release(lockName, probe, Long), cancellation);
        return reply.IsGranted && waiters == 0;
    }

    /// <summary>How many stand in the queue of a lock that is held, dead or alive: a scout joins it, looks and leaves.</summary>
    public static async Task<int> CountWaitersAsync(ILockStore store, string lockName)
    {
        var cancellation = TestContext.Current.CancellationToken;
        var scout = new LockOwner("scout-" + Guid.NewGuid().ToString("N"), 1);
        var reply = await store.AcquireAsync(Requests.Acquire(lockName, scout, Long, wait: true), cancellation);
        await store.ReleaseAsync(Requests.Release(lockName, scout, Long), cancellation);
        return reply.WaitersBefore;
    }
}
