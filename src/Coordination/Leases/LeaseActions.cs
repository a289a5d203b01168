using System.Runtime.CompilerServices;
using Coordination.Resilience;
using Coordination.Stores;
using Coordination.Time;

namespace Coordination.Leases;

/// <summary>What a holder can do with a lease: renew it by hand and release it.</summary>
internal sealed class LeaseActions(StoreClient store, Watchdog watchdog, LeaseTelemetry telemetry, BackgroundTasks background, CoordinationOptions options, TimeProvider time)
{
    private static readonly TimeSpan ReleaseRetryDelay = TimeSpan.FromMilliseconds(100);

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

        var completion = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        using var deadline = new CancellationTokenSource(lease.Remaining, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(deadline.Token, cancellationToken);
        var hasBegun = false;
        try
        {
            // One renewal at a time: a release has to know which one to wait for.
            while (!(hasBegun = lease.TryBeginRenewal(completion.Task, onlyWhenDue: false)))
            {
                if (!lease.LoseIfOverdue() || lease.IsPastMaxHold)
                {
                    return lease.IsActive ? RenewalResult.MaxHoldReached : RenewalResult.NotHeld;
                }

                await lease.RenewalUnderWay.WaitAsync(either.Token).ConfigureAwait(false);
            }

            var request = new RenewalRequest
            {
                LockName = lease.Grant.LockName,
                Owner = lease.Grant.Owner,
                LeaseDuration = lease.Timings.Duration,
                FencingToken = lease.Grant.FencingToken,
            };
            var answer = await store.RenewAsync(() => lease.LoseIfOverdue() ? [request] : [], lease.Timings.CallLimit, either.Token).ConfigureAwait(false);
            return answer.Reply.Count > 0 && lease.TakeIn(answer.Reply[0], answer.SentAt) ? RenewalResult.Renewed : RenewalResult.NotHeld;
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
        finally
        {
            if (hasBegun)
            {
                lease.EndRenewal();
                watchdog.Reschedule(lease);
                completion.SetResult();
            }
        }

        return lease.IsActive ? RenewalResult.Unknown : RenewalResult.NotHeld;
    }

    /// <summary>
    /// Releases a lease: its state first, then the renewal under way, then the store. Whatever the store answers, nothing is left here.
    /// </summary>
    /// <param name="lease">The lease.</param>
    /// <param name="wasReceived">Whether anybody had it; else its LockAtLeastFor counts for nothing.</param>
    public async Task<ReleaseResult> ReleaseAsync(Lease lease, bool wasReceived = true)
    {
        using var piece = background.Begin();
        var renewal = lease.BeginRelease();
        watchdog.Remove(lease);

        // Later than this it has lapsed by itself; a lost lease gets a last try all the same, for its renewal may have been applied.
        var begunAt = time.Uptime;
        var lapsesIn = lease.LapsesAt - begunAt;
        var limit = Min(options.ReleaseTimeout, lapsesIn > lease.Timings.SafetyMargin ? lapsesIn : lease.Timings.SafetyMargin);
        try
        {
            if (!renewal.IsCompleted)
            {
                await renewal.WaitAsync(limit, time).ConfigureAwait(false);
                limit -= time.Uptime - begunAt;
            }

            return await ReleaseInStoreAsync(lease, limit, wasReceived).ConfigureAwait(false);
        }
        catch (Exception e) when (e is LockStoreException or TimeoutException)
        {
            // The store refuses, or the time for it is up: the lock lapses by itself.
            telemetry.ReleaseFailed(lease, e);
            return ReleaseResult.Unknown;
        }
    }

    /// <summary>Tries until the store answers, refuses for good, or the time is up.</summary>
    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    private async ValueTask<ReleaseResult> ReleaseInStoreAsync(Lease lease, TimeSpan limit, bool wasReceived)
    {
        var grant = lease.Grant;

        // The occurrence of a lease that was lost stays begun and not finished, as that of a node that died. Where nobody had the lease it was not begun.
        var request = new ReleaseRequest
        {
            LockName = grant.LockName,
            Owner = grant.Owner,
            Entry = grant.Entry,
            ClaimWindow = options.ClaimWindow,
            AllowBarging = lease.Options?.AllowBarging == true,
            LockAtLeastFor = (wasReceived ? lease.Options?.LockAtLeastFor : null) ?? TimeSpan.Zero,
            Occurrence = wasReceived && lease.State == LeaseState.Lost ? null : lease.Occurrence,
            OccurrenceIsFinished = wasReceived,
        };
        var endsAt = time.Uptime + limit;
        for (var mayBeApplied = false; ; mayBeApplied = true)
        {
            try
            {
                var answer = await store.ReleaseAsync(request, limit, endsAt).ConfigureAwait(false);
                return answer.Reply switch
                {
                    ReleaseReply.Released => ReleaseResult.Released,
                    ReleaseReply.StillHeldByOwner => ReleaseResult.StillHeldByOwner,

                    // An earlier try of this call may have released it and lost its reply, which is no loss.
                    ReleaseReply.NotHeld when (mayBeApplied || answer.Attempt > 1) && lease.State == LeaseState.Released => ReleaseResult.Released,
                    ReleaseReply.NotHeld => ReleaseResult.NotHeld,
                    _ => throw new ArgumentOutOfRangeException(nameof(lease), answer.Reply, "An unknown answer to a release."),
                };
            }
            catch (LockStoreException e) when (e.IsTransient && time.Uptime < endsAt)
            {
                await Task.Delay(ReleaseRetryDelay, time, CancellationToken.None).ConfigureAwait(false);
            }
        }
    }

    private static TimeSpan Min(TimeSpan a, TimeSpan b) => a < b ? a : b;
}
