using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;
using Coordination.Leases;
using Coordination.Nodes;
using Coordination.Resilience;
using Coordination.Stores;
using Coordination.Telemetry;
using Coordination.Time;

namespace Coordination.Waiting;

/// <summary>Where calls wait for locks: by themselves at the store when they are this node's first, and behind that one when they are not.</summary>
[SuppressMessage("Usage", "CA2213:Disposable fields should be disposed", Justification = "A call that comes in the moment of the disposal links to its token.")]
internal sealed class WaitingRoom(
    Node node, StoreClient store, LeaseKeeper leases, NodeChannel channel, KnownHolders holders, CoordinationMetrics metrics, BackgroundTasks background, TimeProvider time) : IDisposable
{
    private const int SpareQueues = 64;

    /// <summary>How many calls of this node ask for one lock at a time, where several may hold it: each of them has a place in the store's queue.</summary>
    private const int MostTurns = 64;

    private readonly Lock _gate = new();
    private readonly Dictionary<WaitKey, LocalQueue> _queues = [];

    /// <summary>Most calls wait for nothing, and a queue for each would be a good part of what they allocate.</summary>
    private readonly Stack<LocalQueue> _spare = new();
    private readonly CancellationTokenSource _disposing = new();

    /// <summary>
    /// Takes the lock when it is free, which it mostly is, and else waits for it. The first call of this node asks the store; those that come
    /// meanwhile stand behind it, and take its turn when it has the lock or gives up.
    /// </summary>
    /// <exception cref="OperationCanceledException">
    /// The token was cancelled. A grant that came in the same moment is passed on. Its inner exception is a <see cref="LockStoreException"/> where the last thing
    /// that is known of the lock is that it could not be asked for.
    /// </exception>
    /// <exception cref="LockStoreException">The store refused for good.</exception>
    /// <exception cref="ObjectDisposedException">The node was disposed meanwhile.</exception>
    public ValueTask<LeaseHandle> AcquireAsync(WaitKey key, CallKind kind, CancellationToken cancellationToken)
    {
        var queue = Enter(key, out var place);
        return place is null
            ? AcquireInTurnAsync(key, kind, queue, CreateWaiter(key, wait: false), cancellationToken)
            : AcquireBehindAsync(key, kind, queue, place, cancellationToken);
    }

    /// <summary>Ends all waits with <see cref="ObjectDisposedException"/>.</summary>
    public void Dispose()
    {
        _disposing.Cancel();
        LocalQueue[] queues;
        lock (_gate)
        {
            queues = [.. _queues.Values];
        }

        foreach (var queue in queues)
        {
            queue.Fail(Disposed());
        }
    }

    private async ValueTask<LeaseHandle> AcquireBehindAsync(
        WaitKey key, CallKind kind, LocalQueue queue, LinkedListNode<TaskCompletionSource<Waiter?>> place, CancellationToken cancellationToken)
    {
        Waiter? waiter;
        try
        {
            using var waiting = metrics.CallWaits(kind);
            waiter = await queue.TakeTurnAsync(place, cancellationToken).ConfigureAwait(false);
        }
        catch (OperationCanceledException e) when (FindFailure(queue, key) is { } failure)
        {
            throw new OperationCanceledException(e.Message, failure, e.CancellationToken);
        }

        return await AcquireInTurnAsync(key, kind, queue, waiter ?? CreateWaiter(key, wait: true), cancellationToken).ConfigureAwait(false);
    }

    /// <summary>The whole of a call that waits for nothing: each frame more between it and the store costs as much as a good part of the rest.</summary>
    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    private async ValueTask<LeaseHandle> AcquireInTurnAsync(WaitKey key, CallKind kind, LocalQueue queue, Waiter waiter, CancellationToken cancellationToken)
    {
        // Until the turn is passed, so that who waits for the end of the node waits for what has to be undone, too.
        using var running = background.Begin();
        var isServed = false;
        try
        {
            LeaseHandle? lease = null;
            if (!waiter.Request.Wait)
            {
                // One ask, for which nothing has to be heard.
                var (reply, isAnswered) = (default(TimedReply<AcquireReply>)!, false);
                cancellationToken.ThrowIfCancellationRequested();
                try
                {
                    reply = await Ask(waiter, queue, key.Options, patience: TimeSpan.Zero, cancellationToken).ConfigureAwait(false);
                    isAnswered = true;
                }
                catch (Exception e)
                {
                    AskFailed(waiter, queue, e);
                    if (e is not LockStoreException { IsTransient: true })
                    {
                        throw;
                    }

                    // The store is away, which is waited out like a lock that is held.
                }

                lease = isAnswered ? Accept(waiter, queue, reply, key.Options, cancellationToken) : null;
            }

            if (lease is null)
            {
                waiter.Queue();
                lease = await WaitAsync(waiter, queue, kind, key.Options, cancellationToken).ConfigureAwait(false);
            }

            isServed = true;
            return lease;
        }
        catch (OperationCanceledException e) when (FindFailure(queue, key) is { } failure)
        {
            throw new OperationCanceledException(e.Message, failure, e.CancellationToken);
        }
        catch (LockStoreException e)
        {
            // No retry helps, so none of them gets the lock, and each has to know.
            queue.Fail(e);
            throw;
        }
        finally
        {
            PassTurn(key, queue, waiter, isServed);
        }
    }

    /// <summary>Asks until the lock is granted: when something is heard, when the holder's time is up, and again when the store is away.</summary>
    private async Task<LeaseHandle> WaitAsync(Waiter waiter, LocalQueue queue, CallKind kind, LockOptions? options, CancellationToken cancellationToken)
    {
        using var waiting = metrics.CallWaits(kind);
        using var ending = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, _disposing.Token);
        channel.Add(waiter);
        try
        {
            while (true)
            {
                TimeSpan sleep;
                try
                {
                    // Able to hear first, then ask: a release between the two is not missed.
                    await channel.ListenAsync(ending.Token).ConfigureAwait(false);
                    waiter.Wake.Reset();
                    var reply = await AskAsync(waiter, queue, options, ending.Token).ConfigureAwait(false);
                    if (Accept(waiter, queue, reply, options, ending.Token) is { } lease)
                    {
                        return lease;
                    }

                    sleep = reply.Reply.IsGranted ? TimeSpan.Zero : waiter.Refused(reply);
                }
                catch (LockStoreException e) when (e.IsTransient)
                {
                    sleep = Waiter.RetryDelay;
                }

                await waiter.Wake.WaitAsync(sleep, ending.Token).ConfigureAwait(false);
                ending.Token.ThrowIfCancellationRequested();
                if (TryTakeOver(waiter, options) is { } handedOver)
                {
                    return handedOver;
                }
            }
        }
        catch (OperationCanceledException) when (ending.IsCancellationRequested)
        {
            // With the caller's token, and not the one that links it.
            cancellationToken.ThrowIfCancellationRequested();
            throw Disposed();
        }
        finally
        {
            channel.Remove(waiter);
        }
    }

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    private async ValueTask<TimedReply<AcquireReply>> AskAsync(Waiter waiter, LocalQueue queue, LockOptions? options, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        try
        {
            return await Ask(waiter, queue, options, patience: Timeout.InfiniteTimeSpan, cancellationToken).ConfigureAwait(false);
        }
        catch (Exception e)
        {
            AskFailed(waiter, queue, e);
            throw;
        }
    }

    private ValueTask<TimedReply<AcquireReply>> Ask(Waiter waiter, LocalQueue queue, LockOptions? options, TimeSpan patience, CancellationToken cancellationToken)
    {
        queue.AskBegins();
        return store.AcquireAsync(waiter.Request, node.AcquireLimit(options), patience, waiter.Sending, cancellationToken);
    }

    private void AskFailed(Waiter waiter, LocalQueue queue, Exception failure)
    {
        if (failure is LockStoreException unasked)
        {
            queue.AskEnds(unasked);
        }
        else
        {
            queue.AskIsGivenUp(store.FindFailure(waiter.Request.LockName));
        }
    }

    private LeaseHandle? Accept(Waiter waiter, LocalQueue queue, TimedReply<AcquireReply> reply, LockOptions? options, CancellationToken cancellationToken)
    {
        queue.AskEnds(failure: null);
        WrongUse.ThrowIfOf(reply.Reply, waiter.Request);
        holders.Saw(waiter.Request.LockName, reply.Reply.Holder);

        // A grant that comes in the moment of the cancellation goes to the next call, or is undone.
        cancellationToken.ThrowIfCancellationRequested();
        if (!reply.Reply.IsGranted || !leases.TryAccept(waiter.Request, reply, options, out var lease))
        {
            return null;
        }

        waiter.Sending.End();
        return new LeaseHandle(lease, leases, time);
    }

    /// <summary>Holds a lock that was handed over, before it is claimed.</summary>
    private LeaseHandle? TryTakeOver(Waiter waiter, LockOptions? options)
    {
        if (!waiter.TryTakeOver(out var handover, out var provenAt, out var isClaimed) || !leases.TryAccept(waiter.Request, handover, provenAt, isClaimed, options, out var lease))
        {
            return null;
        }

        waiter.Sending.End();
        return new LeaseHandle(lease, leases, time);
    }

    /// <summary>
    /// How many calls may ask at a time: as many as can hold the lock beside each other. Who reads and who writes stand in different queues here, and only the store's puts them in order:
    /// so each has a place there.
    /// </summary>
    private static int TurnsOf(LockShare? share) => share?.Kind switch
    {
        LockShareKind.Permit => Math.Min(share.Capacity.Permits, MostTurns),
        LockShareKind.Read or LockShareKind.UpgradeableRead or LockShareKind.Write => MostTurns,
        _ => 1,
    };

    private LocalQueue Enter(WaitKey key, out LinkedListNode<TaskCompletionSource<Waiter?>>? place)
    {
        lock (_gate)
        {
            if (!_queues.TryGetValue(key, out var queue))
            {
                _queues[key] = queue = _spare.TryPop(out var used) ? used : new LocalQueue(time);
            }

            place = queue.Enter(TurnsOf(key.Share));
            return queue;
        }
    }

    /// <summary>Lets the next call go on, with the place in the store's queue that this one leaves, where that is the only one; else leaves that queue.</summary>
    /// <param name="key">What is waited for.</param>
    /// <param name="queue">The calls that do.</param>
    /// <param name="waiter">The place in the store's queue.</param>
    /// <param name="isServed">Whether this call got the lock, and so looks at the queue no more.</param>
    private void PassTurn(WaitKey key, LocalQueue queue, Waiter waiter, bool isServed)
    {
        // Where others of this node have places that are behind this one, it is not for a call that came after them.
        var isForNext = waiter.MayBeApplied && TurnsOf(key.Share) == 1;
        lock (_gate)
        {
            if (queue.TryPassTurn(isForNext ? waiter : null, out var isEmpty))
            {
                if (isForNext)
                {
                    return;
                }
            }
            else if (isEmpty)
            {
                _queues.Remove(key);
                if (isServed && queue.WasOfOne && _spare.Count < SpareQueues)
                {
                    queue.Clear();
                    _spare.Push(queue);
                }
            }
        }

        if (waiter.MayBeApplied)
        {
            _ = leases.UndoAsync(waiter.Request);
        }
    }

    /// <summary>Whether the last thing that is known of the lock is that it could not be asked for.</summary>
    private LockStoreException? FindFailure(LocalQueue queue, WaitKey key) => queue.FindFailure(store.FindFailure(key.LockName));

    private Waiter CreateWaiter(WaitKey key, bool wait) => new(node.Acquire(key.LockName, key.Owner, key.Options, wait, key.Share), time);

    private static ObjectDisposedException Disposed() =>
        new(nameof(ILockProvider), "The lock provider was disposed while this call waited for a lock.");
}
