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
internal sealed partial class Acquirer(Node node, LeaseKeeper leases, StoreClient store, WaitingRoom room, NodeChannel channel, KnownHolders holders, AcquireTelemetry telemetry, BackgroundTasks background, TimeProvider time)
{
    private volatile bool _isDisposed;

    /// <summary>Whose owners this node's locks are acquired as.</summary>
    public string NodeId => node.Id;

    /// <summary>From here on every call throws.</summary>
    public void Dispose() => _isDisposed = true;

    /// <summary>Throws when it is disposed.</summary>
    public void ThrowIfDisposed() => ObjectDisposedException.ThrowIf(_isDisposed, typeof(ILockProvider));

    /// <summary>Throws where the store keeps no locks that several may hold at a time.</summary>
    public void ThrowIfExclusiveOnly(string lockName)
    {
        if (!store.KeepsShares)
        {
            throw new NotSupportedException($"The store '{store.Name}' keeps exclusive locks only, and '{lockName}' is one that several may hold at a time: {nameof(ILockStore)}.{nameof(ILockStore.KeepsShares)} is false.");
        }
    }

    public async Task<ILockLease?> TryOnceAsync(WaitKey key, CancellationToken cancellationToken) =>
        (await TryOnceAsync(key, occurrence: null, cancellationToken).ConfigureAwait(false)).Lease;

    /// <summary>Tries once, for an occurrence; null for none.</summary>
    /// <param name="key">What is asked for.</param>
    /// <param name="occurrence">What it is to be run for.</param>
    /// <param name="cancellationToken">Ends the try.</param>
    /// <param name="isPart">Whether this is a part of a call, which measures itself.</param>
    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    public async ValueTask<AcquireAttempt> TryOnceAsync(WaitKey key, Occurrence? occurrence, CancellationToken cancellationToken, bool isPart = false)
    {
        ThrowIfDisposed();
        cancellationToken.ThrowIfCancellationRequested();
        var request = node.Acquire(key.LockName, key.Owner, key.Options, wait: false, key.Share, occurrence);
        var (call, outcome) = (isPart ? default : telemetry.Begin(key.LockName, CallKind.User), AcquireOutcome.Failed);
        var sending = new Sending();
        try
        {
            var reply = await store.TryAcquireAsync(request, node.AcquireLimit(key.Options), sending, cancellationToken).ConfigureAwait(false);
            var attempt = Accept(request, reply, key.Options, cancellationToken);
            outcome = attempt.Lease is null ? AcquireOutcome.Held : AcquireOutcome.Granted;
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

            outcome = e is OperationCanceledException ? AcquireOutcome.Cancelled : e is LockStoreException { InUseAs: not null } ? AcquireOutcome.Held : AcquireOutcome.Failed;
            throw;
        }
        finally
        {
            if (!isPart)
            {
                telemetry.End(call, outcome);
            }
        }
    }

    /// <summary>Waits for the lock.</summary>
    /// <returns>Null when the time was up and another held the lock; never with an infinite timeout.</returns>
    /// <exception cref="LockStoreException">The store refused for good; or, transient, the time was up and the store could not be asked.</exception>
    public Task<ILockLease?> WaitAsync(WaitKey key, CallKind kind, TimeSpan timeout, CancellationToken cancellationToken) =>
        timeout == Timeout.InfiniteTimeSpan ? WaitAsync(key, kind, cancellationToken) : WaitWithinAsync(key, kind, timeout, cancellationToken);

    private async Task<ILockLease?> WaitAsync(WaitKey key, CallKind kind, CancellationToken cancellationToken)
    {
        ThrowIfDisposed();
        cancellationToken.ThrowIfCancellationRequested();
        var (call, outcome) = (telemetry.Begin(key.LockName, kind), AcquireOutcome.Failed);
        try
        {
            var lease = await room.AcquireAsync(key, kind, cancellationToken).ConfigureAwait(false);
            channel.Listen();
            outcome = AcquireOutcome.Granted;
            return lease;
        }
        catch (LockStoreException e) when (e.InUseAs is not null)
        {
            outcome = AcquireOutcome.Held;
            throw;
        }
        catch (OperationCanceledException)
        {
            outcome = AcquireOutcome.Cancelled;

            // With the caller's token, and not one that links it.
            cancellationToken.ThrowIfCancellationRequested();
            throw;
        }
        finally
        {
            telemetry.End(call, outcome);
        }
    }

    private async Task<ILockLease?> WaitWithinAsync(WaitKey key, CallKind kind, TimeSpan timeout, CancellationToken cancellationToken)
    {
        ThrowIfDisposed();
        cancellationToken.ThrowIfCancellationRequested();
        var (call, outcome) = (telemetry.Begin(key.LockName, kind), AcquireOutcome.Failed);
        using var deadline = new CancellationTokenSource(timeout, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(deadline.Token, cancellationToken);
        try
        {
            var lease = await room.AcquireAsync(key, kind, either.Token).ConfigureAwait(false);
            channel.Listen();
            outcome = AcquireOutcome.Granted;
            return lease;
        }
        catch (OperationCanceledException e) when (!cancellationToken.IsCancellationRequested && deadline.IsCancellationRequested)
        {
            if (e.InnerException is LockStoreException failure)
            {
                throw TimeIsUp($"The lock '{key.LockName}'", timeout, failure);
            }

            outcome = AcquireOutcome.TimedOut;
            return null;
        }
        catch (LockStoreException e) when (e.InUseAs is not null)
        {
            outcome = AcquireOutcome.Held;
            throw;
        }
        catch (OperationCanceledException)
        {
            outcome = AcquireOutcome.Cancelled;

            // With the caller's token, and not one that links it.
            cancellationToken.ThrowIfCancellationRequested();
            throw;
        }
        finally
        {
            telemetry.End(call, outcome);
        }
    }

    /// <summary>What is thrown when the time is up, and nobody can say whether what was waited for is free.</summary>
    public static LockStoreException TimeIsUp(string waitedFor, TimeSpan timeout, LockStoreException failure) =>
        new($"{waitedFor} could not be asked for, and the time of {timeout} is up: {failure.Cause ?? failure.Message}", isTransient: true, failure) { Cause = failure.Cause, IsLockBusy = failure.IsLockBusy };

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

    private AcquireAttempt Accept(AcquireRequest request, TimedReply<AcquireReply> reply, LockOptions? options, CancellationToken cancellationToken)
    {
        if (!reply.Reply.IsGranted)
        {
            WrongUse.ThrowIfOf(reply.Reply, request);
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
