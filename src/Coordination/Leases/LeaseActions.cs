using Coordination.Resilience;
using Coordination.Stores;
using Coordination.Telemetry;

namespace Coordination.Leases;

/// <summary>What a holder can do with a lease: renew it by hand and release it.</summary>
internal sealed class LeaseActions(StoreClient store, Watchdog watchdog, LeaseTelemetry telemetry, BackgroundWork background, CoordinationOptions options, TimeProvider time)
{
    public async Task<RenewalResult> RenewAsync(Lease lease, CancellationToken cancellationToken)
    {
        if (!lease.LoseIfOverdue())
        {
            return RenewalResult.NotHeld;
        }

        if (lease.IsPastMaxHold)
        {
            return RenewalResult.MaxHoldReached;
        }

        try
        {
            var request = new RenewalRequest(lease.Grant.LockName, lease.Grant.Owner, lease.Timings.Duration);
            using var deadline = new CancellationTokenSource(lease.Remaining, time);
            using var either = CancellationTokenSource.CreateLinkedTokenSource(deadline.Token, cancellationToken);
            var answer = await store.RenewAsync([request], lease.Timings.CallLimit, either.Token).ConfigureAwait(false);
            var stands = answer.Reply[0] ? lease.ConfirmRenewal(answer.SentAt) : lease.Lose(LeaseLossReason.NotOwner);
            return stands ? RenewalResult.Renewed : RenewalResult.NotHeld;
        }
        catch (LockStoreException)
        {
            // Unknown is not no: the lease holds until its deadline, and the watchdog goes on trying.
            lease.FailRenewal();
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            // The deadline came before the answer.
            lease.FailRenewal();
        }

        return lease.IsActive ? RenewalResult.Unknown : RenewalResult.NotHeld;
    }

    /// <summary>
    /// Releases a lease: its state first, then the renewal under way, then the store. Whatever the store answers, nothing is left here.
    /// </summary>
    public Task<ReleaseResult> ReleaseAsync(Lease lease)
    {
        var renewal = lease.BeginRelease();
        watchdog.Remove(lease);
        return background.Run(() => SendReleaseAsync(lease, renewal));
    }

    private async Task<ReleaseResult> SendReleaseAsync(Lease lease, Task renewal)
    {
        // Later than this it has lapsed by itself; a lost lease gets a last try all the same, for its renewal may have been applied.
        var lapsesIn = lease.LapsesAt - time.Uptime;
        var limit = Min(options.ReleaseTimeout, lapsesIn > lease.Timings.SafetyMargin ? lapsesIn : lease.Timings.SafetyMargin);
        using var deadline = new CancellationTokenSource(limit, time);
        try
        {
            if (!renewal.IsCompleted)
            {
                await renewal.WaitAsync(deadline.Token).ConfigureAwait(false);
            }

            return await ReleaseInStoreAsync(lease.Grant, limit, deadline.Token).ConfigureAwait(false);
        }
        catch (Exception e) when (e is LockStoreException or OperationCanceledException)
        {
            // The store is away, or the time for it is up: the lock lapses by itself.
            telemetry.ReleaseFailed(lease, e);
            return ReleaseResult.Unknown;
        }
    }

    private async Task<ReleaseResult> ReleaseInStoreAsync(LeaseGrant grant, TimeSpan limit, CancellationToken cancellationToken)
    {
        var request = new ReleaseRequest(grant.LockName, grant.Owner, grant.Entry, options.ClaimWindow);
        var answer = await store.ReleaseAsync(request, limit, cancellationToken).ConfigureAwait(false);
        return answer.Reply switch
        {
            ReleaseReply.Released => ReleaseResult.Released,
            ReleaseReply.StillHeldByOwner => ReleaseResult.StillHeldByOwner,

            // An earlier try of this call may have released it and lost its reply, which is no loss.
            ReleaseReply.NotHeld when answer.Attempt > 1 => ReleaseResult.Released,
            ReleaseReply.NotHeld => ReleaseResult.NotHeld,
            _ => throw new ArgumentOutOfRangeException(nameof(grant), answer.Reply, "An unknown answer to a release."),
        };
    }

    private static TimeSpan Min(TimeSpan a, TimeSpan b) => a < b ? a : b;
}
