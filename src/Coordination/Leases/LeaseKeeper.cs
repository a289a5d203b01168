using System.Diagnostics;
using System.Diagnostics.CodeAnalysis;
using Coordination.Nodes;
using Coordination.Resilience;
using Coordination.Stores;
using Coordination.Time;

namespace Coordination.Leases;

/// <summary>
/// Keeps the leases of this node: accepts what the store granted, holds it by means of the watchdog, renews and releases it for its holder, and
/// undoes what nobody received.
/// </summary>
internal sealed partial class LeaseKeeper(Node node, StoreClient store, Watchdog watchdog, LeaseTelemetry telemetry, BackgroundTasks background, TimeProvider time)
{
    private static readonly TimeSpan ReleaseRetryDelay = TimeSpan.FromMilliseconds(100);

    private static readonly TimeSpan UndoRetryDelay = TimeSpan.FromMilliseconds(250);

    /// <summary>How many undos wait for a store that is away.</summary>
    private const int MaxUndos = 1_000;

    private readonly PendingUndos _undos = new(MaxUndos);

    /// <summary>
    /// Told of a release whose reply handed the lock over to another waiter of this node, and of one that was sent more than once or failed, for a reply that was lost
    /// may have done so: the lock, the reply, and the moment before it was sent.
    /// </summary>
    public Action<string, ReleaseReply, ClockReading>? PassedOn { get; set; }

    /// <summary>Makes a lease of a grant, from here on watched and renewed; unless the reply came so late that its deadline has passed.</summary>
    /// <param name="request">What was asked for.</param>
    /// <param name="reply">A grant.</param>
    /// <param name="options">How the lease differs from the node's other ones.</param>
    /// <param name="lease">The lease, for its holder to be bound to.</param>
    /// <remarks>If it throws, whatever it is, nothing is held here, and the caller undoes the request.</remarks>
    public bool TryAccept(AcquireRequest request, TimedReply<AcquireReply> reply, LockOptions? options, [NotNullWhen(true)] out Lease? lease)
    {
        var timings = node.TimingsOf(options);
        var grant = new LeaseGrant(request.LockName, request.Owner, request.Entry, reply.Reply.FencingToken!.Value, timings, options, request.Share, reply.Reply.Permit);
        return TryAccept(grant, new Deadline(reply.SentAt, timings), request.Occurrence, out lease);
    }

    /// <summary>
    /// Makes a lease of a lock that was handed over, as <see cref="TryAccept(AcquireRequest, TimedReply{AcquireReply}, LockOptions?, out Lease?)"/>, and claims it beside
    /// its holder's work: until that is confirmed the lease lasts for the claim window.
    /// </summary>
    /// <param name="request">What was waited for.</param>
    /// <param name="handover">What the waiter was told.</param>
    /// <param name="provenAt">A moment of this node that is known to lie before the handover.</param>
    /// <param name="isClaimed">Whether it needs no claim: the store counts it as held.</param>
    /// <param name="options">How the lease differs from the node's other ones.</param>
    /// <param name="lease">The lease, for its holder to be bound to.</param>
    public bool TryAccept(AcquireRequest request, LockHandover handover, ClockReading provenAt, bool isClaimed, LockOptions? options, [NotNullWhen(true)] out Lease? lease)
    {
        var timings = node.TimingsOf(options);
        var grant = new LeaseGrant(request.LockName, request.Owner, request.Entry, handover.FencingToken, timings, options, request.Share, handover.Permit);
        if (!TryAccept(grant, new Deadline(provenAt, timings.Within(handover.ClaimWindow)), request.Occurrence, out lease))
        {
            return false;
        }

        if (!isClaimed)
        {
            // The holder begins meanwhile, and does not wait until it is sent. Where the pool has no thread to spare the watchdog's renewal claims it.
            ThreadPool.UnsafeQueueUserWorkItem(static claim => _ = claim.Keeper.ClaimAsync(claim.Lease, claim.Running), (Keeper: this, Lease: lease, Running: background.Begin()), preferLocal: false);
        }

        return true;
    }

    /// <summary>Renews a lease now, for its holder.</summary>
    public async Task<RenewalResult> RenewAsync(Lease lease, CancellationToken cancellationToken)
    {
        if (!lease.LoseIfOverdue())
        {
            return RenewalResult.NotHeld;
        }

        if (WhyNotRenewed(lease) is { } reason)
        {
            return reason;
        }

        var completion = new TaskCompletionSource<bool>(TaskCreationOptions.RunContinuationsAsynchronously);
        using var deadline = new CancellationTokenSource(lease.UntilDeadline, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(deadline.Token, cancellationToken);
        var hasBegun = false;
        try
        {
            // One renewal at a time: a release has to know which one to wait for.
            while (!(hasBegun = lease.TryBeginRenewal(completion.Task, onlyWhenDue: false)))
            {
                if (!lease.LoseIfOverdue())
                {
                    return RenewalResult.NotHeld;
                }

                if (WhyNotRenewed(lease) is { } meanwhile)
                {
                    return meanwhile;
                }

                await lease.RenewalUnderWay.WithinAsync(Timeout.InfiniteTimeSpan, time, cancellationToken: either.Token).ConfigureAwait(false);
            }

            var reply = await store.RenewAsync(lease.Grant.LockName, () => lease.LoseIfOverdue() ? [Node.Renew(lease.Grant)] : [], lease.Timings.CallLimit, continueOnCapturedContext: false, either.Token).ConfigureAwait(false);
            if (reply.Reply is not [RenewalReply.Unknown])
            {
                return reply.Reply.Count > 0 && lease.Learn(reply.Reply[0], reply.SentAt) ? RenewalResult.Renewed : RenewalResult.NotHeld;
            }

            lease.FailRenewal();
        }
        catch (LockStoreException)
        {
            // Unknown is not no: the lease holds until its deadline, and the watchdog goes on trying.
            lease.FailRenewal();
        }
        catch (OperationCanceledException)
        {
            // With the caller's token, and not with one that links it.
            cancellationToken.ThrowIfCancellationRequested();

            // The deadline came before the reply.
            lease.FailRenewal();
        }
        finally
        {
            if (hasBegun)
            {
                lease.EndRenewal();
                watchdog.Reschedule(lease);
                completion.SetResult(true);
            }
        }

        return lease.IsActive ? RenewalResult.Unknown : RenewalResult.NotHeld;
    }

    /// <summary>Notes for its holder that the work gets on.</summary>
    public void ReportProgress(Lease lease)
    {
        if (lease.ReportProgress())
        {
            watchdog.Reschedule(lease);
        }
    }

    /// <summary>Releases a lease for its holder.</summary>
    /// <param name="lease">The lease.</param>
    /// <param name="successor">The node that the lock is to pass to, if it waits for it; null for whoever is next.</param>
    public Task<ReleaseResult> ReleaseAsync(Lease lease, string? successor = null)
    {
        lease.Successor = successor;
        return EndAsync(lease, isUndo: false);
    }

    /// <summary>Releases a lease that nobody received, and its occurrence with it.</summary>
    public Task UndoAsync(Lease lease) => EndAsync(lease, isUndo: true);

    /// <summary>
    /// Releases what a request may have been granted and leaves the queue, because nobody waits for the reply any more. Goes on without its caller, whose
    /// cancellation does not reach it; tries until the store replies, or too many others wait: a server that hung for longer than a lease grants then what it was
    /// asked before. When the node ends, it tries no longer than for a lease.
    /// </summary>
    public Task UndoAsync(AcquireRequest request)
    {
        var running = background.Begin();
        return Detached.Run(() => UndoAsync(request, running));
    }

    /// <inheritdoc cref="Watchdog.AskToStepDown"/>
    public void AskToStepDown(string lockName, LockOwner owner, long fencingToken, StepDownRequest request) => watchdog.AskToStepDown(lockName, owner, fencingToken, request);

    /// <summary>Learns that an operator revoked a lock.</summary>
    public void Revoke(string lockName, LockOwner owner, long fencingToken) => watchdog.Revoke(lockName, owner, fencingToken);

    private bool TryAccept(LeaseGrant grant, Deadline deadline, Occurrence? occurrence, [NotNullWhen(true)] out Lease? lease)
    {
        lease = null;
        if (deadline.RemainingAt(time.Uptime) == TimeSpan.Zero || deadline.IsDoubtfulAt(time.Reading))
        {
            // The time that the store counts from is long ago, also where the machine slept meanwhile and its clock with it.
            return false;
        }

        var accepted = new Lease(grant, deadline, time, telemetry)
        {
            Occurrence = occurrence,
            Hold = telemetry.Granted(grant, Activity.Current?.Context ?? default),
        };
        try
        {
            watchdog.Add(accepted);
        }
        catch
        {
            // The watchdog's thread did not start, as without memory: nobody would renew the lease, or tell its holder.
            accepted.Lose(LeaseLossReason.ProviderDisposed);
            watchdog.Remove(accepted);
            throw;
        }

        lease = accepted;
        return true;
    }

    /// <summary>
    /// Beside the work, and beside a release that comes soon: a claim never revives what is released. Where it fails, the next renewal claims the lock.
    /// </summary>
    private async Task ClaimAsync(Lease lease, BackgroundTasks.Running counted)
    {
        using var running = counted;
        try
        {
            using var deadline = new CancellationTokenSource(lease.UntilDeadline, time);
            var reply = await store.RenewAsync(
                lease.Grant.LockName, () => lease.LoseIfOverdue() ? [Node.Claim(lease.Grant)] : [], lease.Timings.CallLimit, continueOnCapturedContext: false, deadline.Token).ConfigureAwait(false);
            if (reply.Reply is [RenewalReply.Unknown])
            {
                lease.FailRenewal();
            }
            else if (reply.Reply.Count > 0)
            {
                lease.Learn(reply.Reply[0], reply.SentAt);
            }
        }
        catch (Exception failed) when (failed is LockStoreException or OperationCanceledException)
        {
            // Unknown is not no: the lease holds until its deadline, and the watchdog goes on trying.
            lease.FailRenewal();
        }

        if (lease.IsActive)
        {
            watchdog.Reschedule(lease);
        }
    }

    private async Task UndoAsync(AcquireRequest request, BackgroundTasks.Running counted)
    {
        using var running = counted;
        var lapsesAt = time.Uptime + request.LeaseDuration;
        var pending = _undos.Add(lapsesAt);
        telemetry.UndosDropped(_undos);
        var dropped = pending.Dropped;
        try
        {
            while (true)
            {
                var endsAt = time.Uptime + request.LeaseDuration;
                try
                {
                    await store.ReleaseAsync(Node.Undo(request), node.CallLimit, endsAt, dropped).ConfigureAwait(false);
                    return;
                }
                catch (LockStoreException e) when ((e.IsTransient || time.Uptime >= endsAt) && (time.Uptime < lapsesAt || !background.IsEnding))
                {
                    await Task.Delay(UndoRetryDelay, time, dropped).ConfigureAwait(false);
                }
            }
        }
        catch (LockStoreException)
        {
            // The store refuses for good and never granted it; or the node has ended, and it has lapsed by now. The outage was logged.
        }
        catch (OperationCanceledException)
        {
            // Too many wait, and this one lapses first. That was said.
        }
        finally
        {
            _undos.Remove(pending);
        }
    }

    /// <summary>
    /// Ends a lease: its state first, then the renewal under way, then the store. Whatever the store replies, nothing is left here.
    /// </summary>
    private Task<ReleaseResult> EndAsync(Lease lease, bool isUndo)
    {
        var running = background.Begin();
        var renewal = lease.BeginRelease();
        watchdog.Remove(lease);

        // Later than this it has lapsed by itself; a lost lease gets a last try all the same, because its renewal may have been applied.
        var lapsesIn = lease.Deadline.LapsesAt - time.Uptime;
        var limit = lapsesIn > lease.Timings.SafetyMargin ? lapsesIn : lease.Timings.SafetyMargin;
        if (lease.Occurrence is null)
        {
            // Nothing but the time until the lock is free depends on it. With an occurrence, what was done would be done again elsewhere.
            limit = Min(node.ReleaseTimeout, limit);
        }

        return renewal.IsCompleted ? EndInStoreAsync(RequestOf(lease, isUndo), lease, limit, running) : EndAfterAsync(renewal, lease, isUndo, limit, running);
    }

    /// <summary>
    /// Waits for the renewal under way, for a part of the time only, of which as much is left for the release, however late this goes on. After it the release is
    /// sent beside the renewal, which never revives what is released.
    /// </summary>
    private async Task<ReleaseResult> EndAfterAsync(Task<bool> renewal, Lease lease, bool isUndo, TimeSpan limit, BackgroundTasks.Running running)
    {
        var begunAt = time.Uptime;
        var part = Min(limit / 2, lease.Timings.CallLimit);
        await ((Task)renewal.WithinAsync(part, time)).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        var left = limit - (time.Uptime - begunAt);
        return await EndInStoreAsync(RequestOf(lease, isUndo), lease, left > part ? left : part, running).ConfigureAwait(false);
    }

    /// <summary>Tries until the store replies, refuses for good, or the time is up.</summary>
    private async Task<ReleaseResult> EndInStoreAsync(ReleaseRequest request, Lease lease, TimeSpan limit, BackgroundTasks.Running counted)
    {
        using var running = counted;
        var endsAt = time.Uptime + limit;
        for (var mayBeApplied = false; ; mayBeApplied = true)
        {
            try
            {
                var reply = await store.ReleaseAsync(request, Min(node.ReleaseTimeout, limit), endsAt).ConfigureAwait(false);
                var isRepeated = mayBeApplied || reply.Attempt > 1;
                if (isRepeated || reply.Reply.NextOwner is not null)
                {
                    // The reply to an earlier try may have handed the lock over and been lost.
                    PassedOn?.Invoke(request.LockName, reply.Reply, reply.SentAt);
                }

                return reply.Reply.Outcome switch
                {
                    ReleaseOutcome.Released => ReleaseResult.Released,
                    ReleaseOutcome.StillHeldByOwner => ReleaseResult.StillHeldByOwner,

                    // An earlier try of this call may have released it and lost its reply, which is no loss.
                    ReleaseOutcome.NotHeld when isRepeated && lease.State == LeaseState.Released => ReleaseResult.Released,
                    ReleaseOutcome.NotHeld => ReleaseResult.NotHeld,
                    _ => throw new ArgumentOutOfRangeException(nameof(lease), reply.Reply.Outcome, "An unknown reply to a release."),
                };
            }
            catch (LockStoreException e) when (!e.IsTransient || time.Uptime >= endsAt)
            {
                // The store refuses, or the time for it is up: the lock lapses by itself. Or it was released, and a reply that was lost handed it over.
                telemetry.ReleaseFailed(lease.Grant, e);
                PassedOn?.Invoke(request.LockName, ReleaseReply.NotHeld, time.Reading);
                return ReleaseResult.Unknown;
            }
            catch (LockStoreException)
            {
                await Task.Delay(ReleaseRetryDelay, time, CancellationToken.None).ConfigureAwait(false);
                request = LastsSurely(lease) ? request : request with { LeaseDuration = null };
            }
        }
    }

    /// <summary>The occurrence of a lease that was lost stays begun and not finished, as that of a node that died.</summary>
    private ReleaseRequest RequestOf(Lease lease, bool isUndo) =>
        isUndo ? node.Undo(lease.Grant, lease.Occurrence) : node.Release(lease.Grant, lease.State == LeaseState.Lost ? null : lease.Occurrence, LastsSurely(lease), lease.Successor);

    /// <summary>Whether the store would say now that the lease has not run out, as its holder counts; one that was lost may be another's.</summary>
    private bool LastsSurely(Lease lease) =>
        lease.State == LeaseState.Released && lease.Deadline.RemainingAt(time.Uptime) > TimeSpan.Zero && !lease.Deadline.IsDoubtfulAt(time.Reading);

    /// <summary>Why a lease that holds is not extended; null when it is.</summary>
    private static RenewalResult? WhyNotRenewed(Lease lease) =>
        lease.IsPastMaxHold ? RenewalResult.MaxHoldReached
        : lease.IsWithoutProgress ? RenewalResult.NoProgress
        : null;

    private static TimeSpan Min(TimeSpan a, TimeSpan b) => a < b ? a : b;
}
