using System.Runtime.CompilerServices;
using Coordination.Leases;
using Coordination.Nodes;
using Coordination.Resilience;
using Coordination.Stores;
using Coordination.Telemetry;
using Coordination.Time;
using Coordination.Waiting;

namespace Coordination.Locks;

/// <summary>The two ways to a lease: try once, or wait.</summary>
internal sealed class Acquirer(Node node, LeaseKeeper leases, StoreClient store, WaitingRoom room, NodeChannel channel, KnownHolders holders, CoordinationMetrics metrics, TelemetryDispatcher telemetry, BackgroundTasks background, TimeProvider time)
{
    private volatile bool _isDisposed;

    /// <summary>Whose owners this node's locks are acquired as.</summary>
    public string NodeId => node.Id;

    /// <summary>From here on every call throws.</summary>
    public void Dispose() => _isDisposed = true;

    public async Task<ILockLease?> TryOnceAsync(string lockName, LockOwner? owner, LockOptions? options, CancellationToken cancellationToken) =>
        (await TryOnceAsync(lockName, owner, options, occurrence: null, cancellationToken).ConfigureAwait(false)).Lease;

    /// <summary>Tries once, for an occurrence; null for none.</summary>
    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    public async ValueTask<AcquireAttempt> TryOnceAsync(string lockName, LockOwner? owner, LockOptions? options, Occurrence? occurrence, CancellationToken cancellationToken)
    {
        ObjectDisposedException.ThrowIf(_isDisposed, typeof(ILockProvider));
        cancellationToken.ThrowIfCancellationRequested();
        using var call = new AcquireCall(lockName, CallKind.User, metrics, telemetry, time);
        var request = node.Acquire(lockName, owner, options, wait: false, occurrence);
        var sending = new Sending();
        try
        {
            var attempt = await AskAsync(request, options, sending, cancellationToken).ConfigureAwait(false);
            call.End(attempt.Lease is null ? AcquireOutcome.Held : AcquireOutcome.Granted, attempt.Lease);
            return attempt;
        }
        catch (Exception e)
        {
            // Whatever it was, nobody receives any more what the store may have granted, also where it then refused the rest. What never reached
            // it is nothing to undo.
            if (sending.MayBeApplied)
            {
                _ = UndoAsync(request, sending);
            }

            call.End(e is OperationCanceledException ? AcquireOutcome.Cancelled : AcquireOutcome.Failed);
            throw;
        }
    }

    /// <summary>Waits for the lock.</summary>
    /// <returns>Null when the time was up and another held the lock; never with an infinite timeout.</returns>
    /// <exception cref="LockStoreException">The store refused for good; or, transient, the time was up and the store could not be asked.</exception>
    public async Task<ILockLease?> WaitAsync(
        string lockName, LockOwner? owner, LockOptions? options, TimeSpan timeout, CancellationToken cancellationToken, CallKind kind = CallKind.User)
    {
        ObjectDisposedException.ThrowIf(_isDisposed, typeof(ILockProvider));
        cancellationToken.ThrowIfCancellationRequested();
        using var call = new AcquireCall(lockName, kind, metrics, telemetry, time);
        using var deadline = timeout == Timeout.InfiniteTimeSpan ? null : new CancellationTokenSource(timeout, time);
        using var either = deadline is null ? null : CancellationTokenSource.CreateLinkedTokenSource(deadline.Token, cancellationToken);
        try
        {
            var lease = await room.AcquireAsync(new WaitKey(lockName, owner, options), kind, either?.Token ?? cancellationToken).ConfigureAwait(false);
            channel.Listen();
            return call.End(AcquireOutcome.Granted, lease);
        }
        catch (OperationCanceledException e) when (!cancellationToken.IsCancellationRequested && deadline is { IsCancellationRequested: true })
        {
            if (e.InnerException is LockStoreException failure)
            {
                throw new LockStoreException($"The lock '{lockName}' could not be asked for, and the time of {timeout} is up: {failure.Cause ?? failure.Message}", isTransient: true, failure) { Cause = failure.Cause };
            }

            return call.End<ILockLease?>(AcquireOutcome.TimedOut, null);
        }
        catch (OperationCanceledException)
        {
            call.End(AcquireOutcome.Cancelled);

            // With the caller's token, and not one that links it.
            cancellationToken.ThrowIfCancellationRequested();
            throw;
        }
    }

    private async Task UndoAsync(AcquireRequest request, Sending sending)
    {
        // Until the undo has begun, so that who waits for the end of the node waits for it, too.
        using var running = background.Begin();
        if (sending.Going is { } going)
        {
            await going.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }

        if (sending.MayBeApplied)
        {
            _ = leases.UndoAsync(request);
        }
    }

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    private async ValueTask<AcquireAttempt> AskAsync(AcquireRequest request, LockOptions? options, Sending sending, CancellationToken cancellationToken)
    {
        var limit = node.AcquireLimit(options);
        var reply = await store.TryAcquireAsync(request, limit, sending, cancellationToken).ConfigureAwait(false);
        if (!reply.Reply.IsGranted)
        {
            holders.Saw(request.LockName, reply.Reply.Holder);
            return new AcquireAttempt(null, reply.Reply);
        }

        // A grant that comes in the moment of the cancellation is undone by the caller.
        cancellationToken.ThrowIfCancellationRequested();
        if (!leases.TryAccept(request, reply, options, out var lease))
        {
            throw new LockStoreException($"The store granted the lock '{request.LockName}', but by the time of the reply the lease had run out, or the machine had been suspended. Try again; if it recurs, the lease duration is too short for the latency of the store.", isTransient: true);
        }

        channel.Listen();
        return new AcquireAttempt(new LeaseHandle(lease, leases, time), reply.Reply);
    }
}
