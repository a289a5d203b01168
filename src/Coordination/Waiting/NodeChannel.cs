using System.Collections.Concurrent;
using System.Collections.Immutable;
using Coordination.Leases;
using Coordination.Nodes;
using Coordination.Stores;
using Coordination.Time;

namespace Coordination.Waiting;

/// <summary>
/// The one ear of this node: a subscription for all of its locks, from its first lease or wait on. What it hears goes to the waiter or to the lease that it is for.
/// </summary>
internal sealed class NodeChannel(Node node, ILockStore store, LeaseKeeper leases, TimeProvider time) : IAsyncDisposable, IDisposable
{
    private static readonly TimeSpan SubscribeLimit = TimeSpan.FromMilliseconds(250);

    private readonly ConcurrentDictionary<(string LockName, LockOwner Owner), ImmutableArray<Waiter>> _waiters = new();
    private readonly Lock _subscribing = new();
    private Task<IAsyncDisposable>? _subscription;
    private Task _listening = Task.CompletedTask;

    /// <summary>Begins to listen, and tells nobody how it went: a lease that hears of no revocation learns of it by its next renewal.</summary>
    public void Listen()
    {
        if (ListenAsync() is { IsCompletedSuccessfully: false } listening)
        {
            _ = ObserveAsync(listening);
        }
    }

    /// <summary>
    /// Subscribes, once for this node, and waits for it for a moment. A failure is no obstacle: notifications are a speed-up, and the next
    /// call tries again.
    /// </summary>
    /// <exception cref="LockStoreException">The store refuses for good.</exception>
    public Task ListenAsync()
    {
        if (Volatile.Read(ref _subscription) is { IsCompletedSuccessfully: true })
        {
            return Task.CompletedTask;
        }

        lock (_subscribing)
        {
            if (_subscription is null or { IsFaulted: true } or { IsCanceled: true })
            {
                // The node's, so no call's end ends it.
                _subscription = SubscribeAsync();
                _listening = ListenAsync(_subscription);
            }

            // One moment for all of them: who asks when it is over does not wait.
            return _listening;
        }
    }

    /// <summary>Passes on to a waiter what is heard for it.</summary>
    public void Add(Waiter waiter) => _waiters.AddOrUpdate(
        KeyOf(waiter), static (_, waiter) => [waiter], static (_, others, waiter) => others.Add(waiter), waiter);

    /// <summary>Passes on nothing more to a waiter.</summary>
    public void Remove(Waiter waiter)
    {
        var key = KeyOf(waiter);
        while (_waiters.TryGetValue(key, out var waiters))
        {
            var rest = waiters.Remove(waiter);
            if (rest.IsEmpty ? _waiters.TryRemove(KeyValuePair.Create(key, waiters)) : _waiters.TryUpdate(key, rest, waiters))
            {
                return;
            }
        }
    }

    public async ValueTask DisposeAsync()
    {
        if (Interlocked.Exchange(ref _subscription, null) is { IsCompletedSuccessfully: true } subscription)
        {
            await (await subscription.ConfigureAwait(false)).DisposeAsync().ConfigureAwait(false);
        }
    }

    /// <summary>Ends the subscription as <see cref="DisposeAsync"/> does, and does not wait for it: for a container that is disposed synchronously.</summary>
    public void Dispose() => _ = DisposeAsync().AsTask();

    private static async Task ObserveAsync(Task listening) => await listening.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);

    private static (string LockName, LockOwner Owner) KeyOf(Waiter waiter) => (waiter.Request.LockName, waiter.Request.Owner);

    // Asynchronous, so that what a store throws at once comes out of the task, too.
    private async Task<IAsyncDisposable> SubscribeAsync() => await store.SubscribeAsync(node.Id, Hear, CancellationToken.None).ConfigureAwait(false);

    private async Task ListenAsync(Task<IAsyncDisposable> subscription)
    {
        try
        {
            await subscription.WithinAsync(SubscribeLimit, time).ConfigureAwait(false);
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

    private void Hear(LockNotification notification)
    {
        if (notification is not { LockName: { } lockName, Owner: { } owner })
        {
            // Reconnected, and notifications may have been missed.
            WakeAll();
        }
        else if (notification.Kind == LockNotificationKind.Revoked)
        {
            leases.Revoke(lockName, owner, notification.FencingToken);
        }
        else if (_waiters.TryGetValue((lockName, owner), out var waiters))
        {
            foreach (var waiter in waiters)
            {
                waiter.WakeIn(notification.After);
            }
        }
    }

    private void WakeAll()
    {
        foreach (var waiter in _waiters.Values.SelectMany(static waiters => waiters))
        {
            waiter.WakeIn(TimeSpan.Zero);
        }
    }
}
