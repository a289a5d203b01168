using System.Diagnostics;
using System.Runtime.CompilerServices;
using Coordination.Leases;
using Coordination.Occurrences;
using Coordination.Resilience;
using Coordination.Stores;
using Coordination.Telemetry;
using Coordination.Time;
using Coordination.Waiting;

namespace Coordination.Locks;

/// <summary>The two ways to a lease: try once, or wait in the queue.</summary>
internal sealed class Acquisition(LeaseFactory leases, StoreClient store, WaitingRoom room, CoordinationMetrics metrics, TimeProvider time)
{
    private volatile bool _isDisposed;

    /// <summary>From here on every call throws.</summary>
    public void Dispose() => _isDisposed = true;

    public async Task<ILockLease?> TryOnceAsync(string lockName, LockOwner? owner, LockOptions? options, CancellationToken cancellationToken) =>
        (await TryOnceAsync(lockName, owner, options, occurrence: null, cancellationToken).ConfigureAwait(false)).Lease;

    /// <summary>Tries once, for an occurrence; null for none.</summary>
    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    public async ValueTask<OccurrenceAttempt> TryOnceAsync(string lockName, LockOwner? owner, LockOptions? options, Occurrence? occurrence, CancellationToken cancellationToken)
    {
        ObjectDisposedException.ThrowIf(_isDisposed, typeof(ILockProvider));
        cancellationToken.ThrowIfCancellationRequested();
        using var call = new AcquireCall(lockName, metrics, time);
        var request = leases.CreateRequest(lockName, owner, options, wait: false, occurrence);
        try
        {
            var attempt = await AskAsync(request, options, cancellationToken).ConfigureAwait(false);
            call.End(attempt.Lease is null ? AcquireOutcome.Held : AcquireOutcome.Granted, attempt.Lease);
            return attempt;
        }
        catch (LockStoreException e)
        {
            if (e.IsTransient)
            {
                // It may have been applied all the same, and nobody waits for its grant any more.
                _ = leases.UndoAsync(request);
            }

            call.End(AcquireOutcome.Failed);
            throw;
        }
        catch (OperationCanceledException)
        {
            _ = leases.UndoAsync(request);
            call.End(AcquireOutcome.Cancelled);
            throw;
        }
    }

    /// <summary>Takes the lock when it is free, which it mostly is, and else waits in the queue.</summary>
    /// <returns>Null when the time was up; never with an infinite timeout.</returns>
    public async Task<ILockLease?> WaitAsync(string lockName, LockOwner? owner, LockOptions? options, TimeSpan timeout, CancellationToken cancellationToken)
    {
        ObjectDisposedException.ThrowIf(_isDisposed, typeof(ILockProvider));
        cancellationToken.ThrowIfCancellationRequested();
        using var call = new AcquireCall(lockName, metrics, time);
        using var deadline = timeout == Timeout.InfiniteTimeSpan ? null : new CancellationTokenSource(timeout, time);
        using var either = deadline is null ? null : CancellationTokenSource.CreateLinkedTokenSource(deadline.Token, cancellationToken);
        var ending = either?.Token ?? cancellationToken;
        var key = new WaitKey(lockName, owner, options);
        var request = leases.CreateRequest(lockName, owner, options, wait: false);
        try
        {
            if (room.TryReserve(key) is not { } place)
            {
                return call.End(AcquireOutcome.Granted, await QueueAsync(key, ending).ConfigureAwait(false));
            }

            AcquireRequest? unanswered = null;
            var waits = false;
            try
            {
                if ((await AskAsync(request, options, ending).ConfigureAwait(false)).Lease is { } lease)
                {
                    return call.End(AcquireOutcome.Granted, lease);
                }

                waits = true;
            }
            catch (LockStoreException e) when (e.IsTransient)
            {
                // The store is away, which is waited out like a lock that is held.
                (waits, unanswered) = (true, request);
            }
            catch (OperationCanceledException)
            {
                _ = leases.UndoAsync(request);
                throw;
            }
            finally
            {
                if (!waits)
                {
                    room.End(key, place);
                }
            }

            return call.End(AcquireOutcome.Granted, await QueueAsync(key, ending, place, unanswered).ConfigureAwait(false));
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested && deadline is { IsCancellationRequested: true })
        {
            return call.End<ILockLease?>(AcquireOutcome.TimedOut, null);
        }
        catch (OperationCanceledException)
        {
            call.End(AcquireOutcome.Cancelled);
            throw;
        }
    }

    /// <summary>Asks whether an occurrence may be run under a lease that was waited for. Where it may not, the lease is given back.</summary>
    public async Task<OccurrenceAttempt> ConfirmAsync(LeaseHandle lease, Occurrence occurrence, CancellationToken cancellationToken)
    {
        var isConfirmed = false;

        // From here on, for the reply may be lost: what is given back takes the occurrence with it.
        lease.Lease.Occurrence = occurrence;
        try
        {
            var answer = await store.AcquireAsync(leases.CreateRequest(lease.Lease, occurrence), leases.CallLimit(lease.Lease.Options), cancellationToken).ConfigureAwait(false);
            cancellationToken.ThrowIfCancellationRequested();
            var reply = answer.Reply;

            // The lock may have been lost meanwhile, and granted anew, or not.
            isConfirmed = reply.FencingToken == lease.FencingToken;
            return new OccurrenceAttempt(isConfirmed ? lease : null, reply.Holder, reply.OccurrenceStatus, reply.OccurrenceRun);
        }
        finally
        {
            if (!isConfirmed)
            {
                await lease.UndoAsync().ConfigureAwait(false);
            }
        }
    }

    /// <summary>Asks for a lock without waiting for it.</summary>
    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    private async ValueTask<OccurrenceAttempt> AskAsync(AcquireRequest request, LockOptions? options, CancellationToken cancellationToken)
    {
        var answer = await store.AcquireAsync(request, leases.CallLimit(options), cancellationToken).ConfigureAwait(false);
        var reply = answer.Reply;
        if (!reply.IsGranted)
        {
            return new OccurrenceAttempt(null, reply.Holder, reply.OccurrenceStatus, reply.OccurrenceRun);
        }

        // A grant that comes in the moment of the cancellation is given back by the caller.
        cancellationToken.ThrowIfCancellationRequested();
        return leases.TryCreate(request, answer, options, out var lease)
            ? new OccurrenceAttempt(leases.Activate(lease, Activity.Current?.Context ?? default), null, reply.OccurrenceStatus, reply.OccurrenceRun)
            : throw new LockStoreException($"The store granted the lock '{request.LockName}' so late that the lease had run out. Try again; if it recurs, the lease duration is too short for the latency of the store.", isTransient: true);
    }

    /// <param name="key">The lock, and how it is wanted.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <param name="reserved">The place that was reserved; null to stand behind the others of this node.</param>
    /// <param name="unanswered">A request that may have been applied; null for none.</param>
    private async Task<LeaseHandle> QueueAsync(WaitKey key, CancellationToken cancellationToken, QueuePlace? reserved = null, AcquireRequest? unanswered = null)
    {
        metrics.WaiterAdded();
        var waiter = new Waiter();
        if (reserved is not null)
        {
            room.EnterFirst(key, reserved, waiter, unanswered);
        }

        var place = reserved ?? room.Enter(key, waiter);
        try
        {
            return await waiter.Lease.WithinAsync(Timeout.InfiniteTimeSpan, time, continueOnCapturedContext: false, cancellationToken).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            if (waiter.TryGiveUp())
            {
                place.Remove(waiter);
            }
            else
            {
                // The lease came in the same moment: it is passed on.
                var lease = await waiter.Lease.ConfigureAwait(false);
                await lease.UndoAsync().ConfigureAwait(false);
            }

            throw;
        }
        finally
        {
            metrics.WaiterRemoved();
        }
    }
}
