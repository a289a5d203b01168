using System.Data.Common;
using Coordination.Stores;

namespace Coordination.Leases;

/// <content>Transactions of users that commit only while a lease stands.</content>
internal sealed partial class LeaseKeeper
{
    /// <summary>Guards a transaction of its holder by a lease.</summary>
    /// <returns>Whether it is guarded; false where the lease has ended, which this may have found out.</returns>
    public async Task<bool> GuardAsync(Lease lease, DbTransaction transaction, CancellationToken cancellationToken)
    {
        var request = new GuardRequest { LockName = lease.Grant.LockName, Owner = lease.Grant.Owner, FencingToken = lease.Grant.FencingToken, LeaseDuration = lease.Timings.Duration };
        if (!lease.LoseIfOverdue())
        {
            return await RefuseAsync(request, transaction, cancellationToken).ConfigureAwait(false);
        }

        var stands = lease.IsReadyToGuard || await store.Fence.PrepareGuardAsync(request, cancellationToken).ConfigureAwait(false);
        lease.IsReadyToGuard = stands;
        if (stands && !lease.LoseIfOverdue())
        {
            // It has ended meanwhile, and its holder was told.
            return await RefuseAsync(request, transaction, cancellationToken).ConfigureAwait(false);
        }

        if (stands && await store.Fence.GuardAsync(request, transaction, cancellationToken).ConfigureAwait(false))
        {
            return true;
        }

        // As a renewal would find it.
        lease.Lose(LeaseLossReason.NotOwner);
        watchdog.Reschedule(lease);
        return false;
    }

    /// <summary>Whoever goes on all the same, with the exception caught, has a transaction that cannot commit where another may have the lock.</summary>
    private async Task<bool> RefuseAsync(GuardRequest request, DbTransaction transaction, CancellationToken cancellationToken)
    {
        try
        {
            await store.Fence.GuardAsync(request, transaction, cancellationToken).ConfigureAwait(false);
        }
        catch (LockStoreException)
        {
            // A transaction on which a statement failed cannot commit either.
        }

        return false;
    }
}
