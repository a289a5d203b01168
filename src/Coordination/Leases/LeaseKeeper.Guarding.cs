using System.Data.Common;
using Coordination.Stores;

namespace Coordination.Leases;

/// <content>Transactions of users that commit only while a lease stands.</content>
internal sealed partial class LeaseKeeper
{
    /// <summary>Guards a transaction of its holder by a lease. Where this throws, or returns false, the transaction cannot commit, unless the store did not accept it.</summary>
    /// <returns>Whether it is guarded; false where the lease has ended, which this may have found out.</returns>
    public async Task<bool> GuardAsync(Lease lease, DbTransaction transaction, CancellationToken cancellationToken)
    {
        var fence = store.Fence;
        fence.Accept(transaction);
        var isGuarded = false;
        try
        {
            isGuarded = await TryGuardAsync(lease, fence, transaction, cancellationToken).ConfigureAwait(false);
            return isGuarded;
        }
        finally
        {
            if (!isGuarded)
            {
                // Whoever goes on all the same, with the exception caught, commits nothing.
                await fence.RefuseAsync(transaction).ConfigureAwait(false);
            }
        }
    }

    private async Task<bool> TryGuardAsync(Lease lease, ITransactionalFence fence, DbTransaction transaction, CancellationToken cancellationToken)
    {
        var request = new GuardRequest { LockName = lease.Grant.LockName, Owner = lease.Grant.Owner, FencingToken = lease.Grant.FencingToken, LeaseDuration = lease.Timings.Duration };
        if (!lease.LoseIfOverdue())
        {
            return false;
        }

        var stands = lease.IsReadyToGuard || await fence.PrepareGuardAsync(request, cancellationToken).ConfigureAwait(false);
        lease.IsReadyToGuard = stands;
        if (stands && !lease.LoseIfOverdue())
        {
            // It has ended meanwhile, and its holder was told.
            return false;
        }

        if (stands && await fence.GuardAsync(request, transaction, cancellationToken).ConfigureAwait(false))
        {
            return true;
        }

        // As a renewal would find it.
        lease.Lose(LeaseLossReason.NotOwner);
        watchdog.Reschedule(lease);
        return false;
    }
}
