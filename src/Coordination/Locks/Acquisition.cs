using System.Diagnostics;
using System.Runtime.CompilerServices;
using Coordination.Leases;
using Coordination.Resilience;
using Coordination.Stores;
using Coordination.Telemetry;
using Coordination.Waiting;

namespace Coordination.Locks;

/// <summary>The two ways to a lease: try once, or wait in the queue.</summary>
internal sealed class Acquisition(LeaseFactory leases, StoreClient store, WaitingRoom room, CoordinationMetrics metrics, TimeProvider time)
{
    private volatile bool _isDisposed;

    /// <summary>From here on every call throws.</summary>
    public void Dispose() => _isDisposed = true;

    public async Task<ILockLease?> TryOnceAsync(string lockName, LockOwner? owner, LockOptions? options, CancellationToken cancellationToken)
    {
        ObjectDisposedException.ThrowIf(_isDisposed, typeof(ILockProvider));
        cancellationToken.ThrowIfCancellationRequested();
        using var call = new AcquireCall(lockName, metrics, time);
        var request = leases.CreateRequest(lockName, owner, options, wait: false);
        try
        {
            var lease = await AskAsync(request, options, cancellationToken).ConfigureAwait(false);
            return call.End(lease is null ? AcquireOutcome.Held : AcquireOutcome.Granted, lease);
        }
        catch (LockStoreException e)
        {
            if (e.IsTransient)
            {
                // It may have been applied all the same, and nobody waits for its grant any more.
                _ = leases.GiveBackAsync(request);
            }

            call.End(AcquireOutcome.Failed);
            throw;
        }
        catch (OperationCanceledException)
        {
            _ = leases.GiveBackAsync(request);
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
        var key = new PlaceKey(lockName, owner, options);
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
                if (await AskAsync(request, options, ending).ConfigureAwait(false) is { } lease)
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
                _ = leases.GiveBackAsync(request);
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

    /// <summary>Asks for a lock without waiting for it.</summary>
    /// <returns>Null when another holds it.</returns>
    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    private async ValueTask<LockLease?> AskAsync(AcquireRequest request, LockOptions? options, CancellationToken cancellationToken)
    {
        var answer = await store.AcquireAsync(request, leases.CallLimit(options), cancellationToken).ConfigureAwait(false);
        if (!answer.Reply.IsGranted)
        {
            return null;
        }

        // A grant that comes in the moment of the cancellation is given back by the caller.
        cancellationToken.ThrowIfCancellationRequested();
        return leases.TryCreate(request, answer, options, out var lease)
            ? leases.Activate(lease, Activity.Current?.Context ?? default)
            : throw new LockStoreException($"The store granted the lock '{request.LockName}' so late that the lease had run out. Try again; if it recurs, the lease duration is too short for the latency of the store.", isTransient: true);
    }

    /// <param name="key">The lock, and how it is wanted.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <param name="reserved">The place that was reserved; null to stand behind the others of this node.</param>
    /// <param name="unanswered">A request that may have been applied; null for none.</param>
    private async Task<LockLease> QueueAsync(PlaceKey key, CancellationToken cancellationToken, QueuePlace? reserved = null, AcquireRequest? unanswered = null)
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
                await lease.GiveBackAsync().ConfigureAwait(false);
            }

            throw;
        }
        finally
        {
            metrics.WaiterRemoved();
        }
    }
}
