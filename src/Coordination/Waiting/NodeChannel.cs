using System.Collections.Concurrent;
using System.Collections.Immutable;
using System.Diagnostics.CodeAnalysis;
using Coordination.Leases;
using Coordination.Nodes;
using Coordination.Stores;
using Coordination.Telemetry;
using Coordination.Time;
using Microsoft.Extensions.Logging;

namespace Coordination.Waiting;

/// <summary>
/// The one ear of this node: a subscription for all of its locks, from its first lease or wait on. What it hears goes to the waiter or to the lease that it is for.
/// </summary>
[SuppressMessage("Usage", "CA2213:Disposable fields should be disposed", Justification = "A call that comes in the moment of the disposal looks at its token.")]
internal sealed class NodeChannel(Node node, ILockStore store, LeaseKeeper leases, TimeProvider time, ILogger<ILockProvider> logger) : IAsyncDisposable, IDisposable
{
    private static readonly TimeSpan SubscribeLimit = TimeSpan.FromMilliseconds(250);

    private static readonly TimeSpan MinRetryDelay = TimeSpan.FromSeconds(1);

    private static readonly TimeSpan MaxRetryDelay = TimeSpan.FromSeconds(15);

    private readonly ConcurrentDictionary<(string LockName, LockOwner Owner), ImmutableArray<Waiter>> _waiters = new();
    private readonly Lock _gate = new();
    private readonly CancellationTokenSource _disposing = new();
    private Task<bool>? _begun;
    private IAsyncDisposable? _subscription;
    private bool _isDisposed;

    /// <summary>Begins to listen, and tells the caller nothing of how it went: a lease that hears of no revocation learns of it by its next renewal.</summary>
    public void Listen() => _ = ObserveAsync(Begin());

    /// <summary>
    /// Begins to listen, and waits for it for a moment: one moment for all callers, so who comes when it is over does not wait. A store that is away
    /// is no obstacle: notifications are a speed-up, and the node goes on trying by itself.
    /// </summary>
    /// <exception cref="LockStoreException">The store refuses for good.</exception>
    /// <exception cref="OperationCanceledException">The token was cancelled.</exception>
    public Task ListenAsync(CancellationToken cancellationToken) => Begin().WithinAsync(Timeout.InfiniteTimeSpan, time, cancellationToken: cancellationToken);

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

    /// <summary>Ends the subscription, also one that is being made.</summary>
    public async ValueTask DisposeAsync()
    {
        IAsyncDisposable? subscription;
        lock (_gate)
        {
            (_isDisposed, subscription, _subscription) = (true, _subscription, null);
        }

        await _disposing.CancelAsync().ConfigureAwait(false);
        if (subscription is not null)
        {
            await subscription.DisposeAsync().ConfigureAwait(false);
        }
    }

    /// <summary>As <see cref="DisposeAsync"/>, and does not wait for it: for a container that is disposed synchronously.</summary>
    public void Dispose() => _ = DisposeAsync().AsTask();

    private static async Task ObserveAsync(Task begun) => await begun.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);

    private static (string LockName, LockOwner Owner) KeyOf(Waiter waiter) => (waiter.Request.LockName, waiter.Request.Owner);

    private Task<bool> Begin()
    {
        lock (_gate)
        {
            if (_isDisposed)
            {
                return Task.FromResult(false);
            }

            if (_begun is not { } begun)
            {
                var tried = new TaskCompletionSource<bool>(TaskCreationOptions.RunContinuationsAsynchronously);
                _begun = begun = ForAMomentAsync(tried.Task);

                // May be refused at once, which the caller has to know all the same.
                _ = SubscribeAsync(tried);
            }

            return begun;
        }
    }

    private async Task<bool> ForAMomentAsync(Task<bool> tried)
    {
        try
        {
            return await tried.WithinAsync(SubscribeLimit, time).ConfigureAwait(false);
        }
        catch (TimeoutException)
        {
            // It is slow. Waiting by the holder's time to live works all the same.
            return false;
        }
    }

    /// <summary>Tries until the store has the subscription, refuses for good, or the node ends.</summary>
    private async Task SubscribeAsync(TaskCompletionSource<bool> tried)
    {
        for (var delay = MinRetryDelay; ; delay = delay * 2 < MaxRetryDelay ? delay * 2 : MaxRetryDelay)
        {
            try
            {
                // The node's, so no call's end ends it.
                await KeepAsync(await store.SubscribeAsync(node.Id, Hear, CancellationToken.None).ConfigureAwait(false)).ConfigureAwait(false);
                tried.TrySetResult(true);

                // What happened until it stood may have been missed.
                WakeAll();
                return;
            }
            catch (LockStoreException e) when (e.IsTransient)
            {
                // The store is away, which the calls say.
                tried.TrySetResult(false);
            }
            catch (Exception e)
            {
                // The store refuses for good. Who waits has to know, and the next call tries again: also when the refusal came so late that
                // nobody waits for it any more.
                Log.CannotListen(logger, store.Name, e.Message);
                Forget();
                tried.TrySetException(e);
                return;
            }

            await Task.Delay(delay, time, _disposing.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            if (_disposing.IsCancellationRequested)
            {
                return;
            }
        }
    }

    /// <summary>Keeps a subscription, or ends it when the node has ended meanwhile.</summary>
    private async ValueTask KeepAsync(IAsyncDisposable subscription)
    {
        lock (_gate)
        {
            if (!_isDisposed)
            {
                _subscription = subscription;
                return;
            }
        }

        await subscription.DisposeAsync().ConfigureAwait(false);
    }

    private void Forget()
    {
        lock (_gate)
        {
            _begun = null;
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
