using System.Diagnostics;
using Coordination.Leases;
using Coordination.Resilience;
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
            var answer = await store.AcquireAsync(request, leases.CallLimit(options), cancellationToken).ConfigureAwait(false);
            if (!answer.Reply.IsGranted)
            {
                return call.End<ILockLease?>(AcquireOutcome.Held, null);
            }

            // A grant that comes in the moment of the cancellation is given back below.
            cancellationToken.ThrowIfCancellationRequested();
            if (leases.TryCreate(request, answer, options, out var lease))
            {
                return call.End(AcquireOutcome.Granted, leases.Activate(lease, Activity.Current?.Context ?? default));
            }

            throw new LockStoreException($"The store granted the lock '{lockName}' so late that the lease had run out. Try again; if it recurs, the lease duration is too short for the latency of the store.", isTransient: true);
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

    /// <summary>Waits in the queue.</summary>
    /// <returns>Null when the time was up; never with an infinite timeout.</returns>
    public async Task<ILockLease?> WaitAsync(string lockName, LockOwner? owner, LockOptions? options, TimeSpan timeout, CancellationToken cancellationToken)
    {
        ObjectDisposedException.ThrowIf(_isDisposed, typeof(ILockProvider));
        cancellationToken.ThrowIfCancellationRequested();
        using var call = new AcquireCall(lockName, metrics, time);
        metrics.WaiterAdded();
        var waiter = new Waiter();
        var place = room.Enter(new PlaceKey(lockName, owner, options), waiter);
        try
        {
            return call.End(AcquireOutcome.Granted, await waiter.Lease.WaitAsync(timeout, time, cancellationToken).ConfigureAwait(false));
        }
        catch (TimeoutException) when (waiter.TryGiveUp())
        {
            place.Remove(waiter);
            return call.End<ILockLease?>(AcquireOutcome.TimedOut, null);
        }
        catch (TimeoutException)
        {
            // The lease came in the same moment: it is within the time, as good as can be told.
            return call.End(AcquireOutcome.Granted, await waiter.Lease.ConfigureAwait(false));
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            call.End(AcquireOutcome.Cancelled);
            if (waiter.TryGiveUp())
            {
                place.Remove(waiter);
            }
            else
            {
                // The lease came in the same moment: it is passed on.
                var lease = await waiter.Lease.ConfigureAwait(false);
                await lease.ReleaseAsync(CancellationToken.None).ConfigureAwait(false);
            }

            throw;
        }
        finally
        {
            metrics.WaiterRemoved();
        }
    }
}
