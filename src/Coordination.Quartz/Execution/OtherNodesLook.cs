using Coordination.Occurrences;
using Coordination.Quartz.Policies;
using Coordination.Stores;

namespace Coordination.Quartz.Execution;

/// <summary>
/// Looks whether another node runs, has run or waits for a fire that this one leaves off. A stop waits for this, so the look is short.
/// </summary>
internal sealed class OtherNodesLook(OccurrenceLocks locks, ILockStoreAdministration store, string nodeId, TimeProvider time)
{
    /// <summary>How long a look may take.</summary>
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(2);

    /// <summary>How many places of a queue are looked at.</summary>
    private const int WaitersLookedAt = 20;

    /// <param name="policy">How the fire is exclusive.</param>
    /// <param name="fire">The fire; null where other nodes do not have it.</param>
    /// <param name="comesToAllNodes">Whether each node comes to the fire: then a node that waits for its lock has it as well.</param>
    public async Task<FireElsewhere> FindAsync(ExclusivePolicy policy, Occurrence? fire, bool comesToAllNodes)
    {
        if (fire is null)
        {
            return new FireElsewhere(IsKnown: true);
        }

        using var ending = new CancellationTokenSource(Limit, time);
        try
        {
            if (await FindBegunAsync(policy, fire, ending.Token).ConfigureAwait(false) is { } begun)
            {
                return new FireElsewhere(IsKnown: true, RunName.Parse(begun)?.NodeId, IsBegun: true);
            }

            return new FireElsewhere(IsKnown: true, comesToAllNodes ? await FindWaiterAsync(policy.LockName, ending.Token).ConfigureAwait(false) : null);
        }
        catch (LockStoreException)
        {
            // The store is away, or refuses the look.
            return new FireElsewhere(IsKnown: false);
        }
        catch (OperationCanceledException) when (ending.IsCancellationRequested)
        {
            return new FireElsewhere(IsKnown: false);
        }
    }

    /// <summary>The run that has begun it, and is not over or was finished. Where the lock is free, it and the fire are left as they were.</summary>
    private async Task<string?> FindBegunAsync(ExclusivePolicy policy, Occurrence fire, CancellationToken cancellationToken)
    {
        var attempt = await locks.TryAcquireAsync(policy.LockName, policy.Share, policy.LockOptions with { LockAtLeastFor = null }, fire, cancellationToken).ConfigureAwait(false);
        switch (attempt)
        {
            case { Lease: { } lease, Status: OccurrenceStatus.Recovering }:
                // Its run was cut short, and nobody stood by for it: a node that comes later may.
                await locks.ReleaseUnfinishedAsync(lease).ConfigureAwait(false);
                return null;
            case { Lease: { } lease }:
                await locks.UndoAsync(lease).ConfigureAwait(false);
                return null;
            default:
                return attempt.Status is OccurrenceStatus.Running or OccurrenceStatus.AlreadyRun ? attempt.Run : null;
        }
    }

    private async Task<string?> FindWaiterAsync(string lockName, CancellationToken cancellationToken)
    {
        // A store may be slow to end when its token is cancelled.
        var inspection = await store.InspectAsync(lockName, WaitersLookedAt, cancellationToken).WaitAsync(cancellationToken).ConfigureAwait(false);
        return inspection.Waiters.FirstOrDefault(waiter => waiter.IsAlive && waiter.Owner.NodeId != nodeId)?.Owner.NodeId;
    }
}
