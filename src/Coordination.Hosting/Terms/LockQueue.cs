using Coordination.Hosting.Stores;
using Coordination.Hosting.Telemetry;

namespace Coordination.Hosting.Terms;

/// <summary>The queue of a lock, for the node that leads by it and is to pass it on. Throws nothing of what the store does.</summary>
internal sealed class LockQueue(string lockName, ILockInspector inspector, TimeProvider time, ServiceLog log)
{
    private const int MaxWaiters = 1000;

    private string? _refusal;

    /// <summary>Those that wait, in their order.</summary>
    public static List<LockWaiter> WaitersOf(LockInspection seen) => [.. seen.Waiters.Where(static waiter => waiter.IsAlive)];

    /// <summary>The first waiter of a node that was asked for; null for none.</summary>
    /// <param name="waiters">Those that wait.</param>
    /// <param name="asked">The id or the name of the node; null for none.</param>
    public static LockWaiter? Find(List<LockWaiter> waiters, string? asked) =>
        waiters.Find(waiter => waiter.Owner.NodeId == asked) ?? waiters.Find(waiter => waiter.Owner.NodeName == asked);

    /// <summary>The id of a node to release to, of one that was asked for by its id or its name.</summary>
    /// <returns>Null for the first in the queue. What was asked for where nobody can tell.</returns>
    public async Task<string?> FindAsync(string asked) =>
        await LookAsync(CancellationToken.None).ConfigureAwait(false) is { } seen ? Find(WaitersOf(seen), asked)?.Owner.NodeId : asked;

    /// <returns>Null where the store does not say.</returns>
    public async Task<LockInspection?> LookAsync(CancellationToken cancellationToken)
    {
        LockInspection? seen = null;
        string? refusal = null;
        try
        {
            await StoreTimeLimit.ApplyAsync(
                StoreTimeLimit.Default,
                async limited => seen = await inspector.InspectAsync(lockName, MaxWaiters, limited).ConfigureAwait(false),
                time,
                cancellationToken).ConfigureAwait(false);
        }
        catch (LockStoreException away) when (away.IsTransient)
        {
            // Which the lock tells of. Then the first in the queue is next.
            return null;
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            // The term ends.
            return null;
        }
        catch (Exception exception)
        {
            // Whatever the store cannot do, such as for want of a right: it will not by itself. The first in the queue is next, and somebody has to be told that no other can be.
            refusal = $"{exception.GetType().Name}: {exception.Message}";
        }

        if (refusal is not null && refusal != _refusal)
        {
            log.CannotSeeQueue(refusal);
        }

        _refusal = refusal;
        return seen;
    }
}
