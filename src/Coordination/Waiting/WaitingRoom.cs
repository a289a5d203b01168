using System.Collections.Concurrent;
using Coordination.Leases;
using Coordination.Nodes;
using Coordination.Resilience;
using Coordination.Stores;
using Coordination.Telemetry;
using Coordination.Time;
using Microsoft.Extensions.Logging;

namespace Coordination.Waiting;

/// <summary>All waiters of this node: a place for each lock they wait for, and one subscription for all of them.</summary>
internal sealed class WaitingRoom(
    NodeIdentity node, ILockStore store, StoreClient client, LeaseFactory leases, BackgroundTasks background, Watchdog watchdog, TimeProvider time, ILogger<WaitingRoom> logger) : IAsyncDisposable, IDisposable
{
    private static readonly TimeSpan SubscribeLimit = TimeSpan.FromMilliseconds(250);

    private readonly ConcurrentDictionary<WaitKey, QueuePlace> _places = new();
    private readonly ConcurrentDictionary<(string LockName, LockOwner Owner), QueuePlace> _announced = new();
    private readonly Lock _subscribing = new();
    private volatile Task<IAsyncDisposable>? _subscription;
    private Task _listening = Task.CompletedTask;
    private volatile bool _isDisposed;

    /// <summary>Reserves the first place among this node's waiters of a lock, for somebody who asks for it by itself first.</summary>
    /// <returns>
    /// The place, to be ended by <see cref="End"/> or <see cref="EnterFirst"/>; null when others of this node ask or wait already, behind whom
    /// the caller belongs.
    /// </returns>
    public QueuePlace? TryReserve(WaitKey key)
    {
        var place = CreatePlace(key, isReserved: true);
        return _places.TryAdd(key, place) ? place : null;
    }

    /// <summary>Gives up a reservation.</summary>
    public void End(WaitKey key, QueuePlace reserved)
    {
        if (reserved.EndReservation())
        {
            _ = RunAsync(key, reserved);
        }
        else
        {
            _places.TryRemove(KeyValuePair.Create(key, reserved));
        }
    }

    /// <summary>Queues whoever reserved a place.</summary>
    /// <param name="key">The lock, and how it is wanted.</param>
    /// <param name="reserved">The place.</param>
    /// <param name="waiter">The waiter.</param>
    /// <param name="unanswered">A request of it that may have been applied, and that the place goes on with; null for none.</param>
    public void EnterFirst(WaitKey key, QueuePlace reserved, Waiter waiter, AcquireRequest? unanswered)
    {
        if (!reserved.TryAddFirst(waiter, unanswered) || _isDisposed)
        {
            // The node was disposed meanwhile.
            reserved.Fail(Disposed());
            waiter.TryFail(Disposed());
        }

        // Also when nobody waits any more: a request that may have been applied is given back in the end.
        _ = RunAsync(key, reserved);
    }

    /// <summary>Queues a waiter behind this node's other ones of the same lock.</summary>
    /// <returns>Where it stands, for <see cref="QueuePlace.Remove"/>.</returns>
    public QueuePlace Enter(WaitKey key, Waiter waiter)
    {
        while (true)
        {
            var place = _places.GetOrAdd(
                key, static (key, room) => room.CreatePlace(key, isReserved: false), this);
            if (place.TryAdd(waiter, out var starts))
            {
                if (_isDisposed)
                {
                    // The disposal came between the caller's check and this, and may not have seen this place.
                    place.Fail(Disposed());
                }
                else if (starts)
                {
                    _ = RunAsync(key, place);
                }

                return place;
            }

            // It ended in this moment; its successor takes over.
            _places.TryRemove(KeyValuePair.Create(key, place));
        }
    }

    /// <summary>Says which place a notification for a request is for.</summary>
    public void Announce(AcquireRequest request, QueuePlace place) => _announced[(request.LockName, request.Owner)] = place;

    /// <summary>Takes back what this place announced, and not what another one of the same owner did since.</summary>
    public void Withdraw(AcquireRequest request, QueuePlace place) =>
        _announced.TryRemove(KeyValuePair.Create((request.LockName, request.Owner), place));

    /// <summary>
    /// Subscribes, once for this node, and waits for it for a moment. A failure is no obstacle: notifications are a speed-up, and the next
    /// ask tries again.
    /// </summary>
    public Task EnsureListeningAsync()
    {
        lock (_subscribing)
        {
            if (_subscription is null or { IsFaulted: true } or { IsCanceled: true })
            {
                // The node's, so no waiter's end ends it.
                _subscription = store.SubscribeAsync(node.Id, Hear, CancellationToken.None);
                _listening = ListenAsync(_subscription);
            }

            // One moment for all of them: who asks when it is over does not wait.
            return _listening;
        }
    }

    private async Task ListenAsync(Task<IAsyncDisposable> subscription)
    {
        try
        {
            await subscription.WithinAsync(SubscribeLimit, time, continueOnCapturedContext: false, CancellationToken.None).ConfigureAwait(false);
        }
        catch (LockStoreException e) when (e.IsTransient)
        {
            // The store is away; the acquisition that follows says so, and waiting by the holder's time to live still works.
        }
        catch (TimeoutException)
        {
            // It is slow: what happens until it stands may be missed, so everybody asks again then.
            _ = WakeWhenListeningAsync(subscription);
        }
    }

    private async Task WakeWhenListeningAsync(Task subscription)
    {
        await subscription.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        WakeAll();
    }

    /// <summary>Ends all waiters with <see cref="ObjectDisposedException"/>, and the subscription.</summary>
    public async ValueTask DisposeAsync()
    {
        Dispose();
        if (_subscription is { IsCompletedSuccessfully: true } subscription)
        {
            await (await subscription.ConfigureAwait(false)).DisposeAsync().ConfigureAwait(false);
        }
    }

    /// <summary>Ends all waiters with <see cref="ObjectDisposedException"/>, for a container that is disposed synchronously.</summary>
    public void Dispose()
    {
        _isDisposed = true;
        foreach (var place in _places.Values)
        {
            place.Fail(Disposed());
        }
    }

    private static ObjectDisposedException Disposed() =>
        new(nameof(ILockProvider), "The lock provider was disposed while this call waited for a lock.");

    private QueuePlace CreatePlace(WaitKey key, bool isReserved) => new(key, isReserved, this, leases, client, time);

    private async Task RunAsync(WaitKey key, QueuePlace place)
    {
        using var piece = background.Begin();
        try
        {
            await place.RunAsync().ConfigureAwait(false);
        }
        catch (Exception e)
        {
            // A fault of ours: the callers learn of it, and do not wait for ever.
            Log.WaitingFault(logger, e, key.LockName);
            place.Fail(e);
        }
        finally
        {
            _places.TryRemove(KeyValuePair.Create(key, place));
        }
    }

    private void Hear(LockNotification notification)
    {
        if (notification is not { LockName: { } lockName, Owner: { } owner })
        {
            // Reconnected, and notifications may have been missed.
            WakeAll();
        }
        else if (notification.Kind == LockNotificationKind.Revoked)
        {
            watchdog.LoseReleased(lockName, owner, notification.FencingToken);
        }
        else if (_announced.TryGetValue((lockName, owner), out var place))
        {
            place.WakeIn(notification.After);
        }
    }

    private void WakeAll()
    {
        foreach (var place in _places.Values)
        {
            place.Wake();
        }
    }
}
