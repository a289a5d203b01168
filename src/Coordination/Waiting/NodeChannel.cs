using System.Collections.Concurrent;
using System.Collections.Immutable;
using System.Diagnostics.CodeAnalysis;
using Coordination.Leases;
using Coordination.Nodes;
using Coordination.Resilience;
using Coordination.Stores;
using Coordination.Telemetry;
using Coordination.Time;
using Microsoft.Extensions.Logging;

namespace Coordination.Waiting;

/// <summary>
/// The one ear of this node: a subscription for all of its locks, from its first lease or wait on. What it hears goes to the waiter or to the lease that it is for.
/// </summary>
[SuppressMessage("Usage", "CA2213:Disposable fields should be disposed", Justification = "A call that comes in the moment of the disposal looks at its token.")]
internal sealed class NodeChannel(Node node, StoreClient store, LeaseKeeper leases, TelemetryDispatcher telemetry, TimeProvider time, ILogger<ILockProvider> logger) : IAsyncDisposable, IDisposable
{
    private static readonly TimeSpan SubscribeLimit = TimeSpan.FromMilliseconds(250);

    private static readonly TimeSpan MinRetryDelay = TimeSpan.FromSeconds(1);

    private static readonly TimeSpan MaxRetryDelay = TimeSpan.FromSeconds(15);

    private readonly ILogger _logger = telemetry.Wrap(logger);
    private readonly ConcurrentDictionary<(string LockName, LockOwner Owner), ImmutableArray<Waiter>> _waiters = new();
    private readonly Lock _gate = new();
    private readonly CancellationTokenSource _disposing = new();
    private Task<bool>? _begun;
    private volatile LockStoreException? _refusal;
    private IAsyncDisposable? _subscription;
    private bool _isDisposed;

    /// <summary>Takes from the reply to a release of this node what it has for another of its waiters.</summary>
    public void Take(string lockName, ReleaseReply reply, ClockReading sentAt)
    {
        if (reply is { NextOwner: { } owner, Handover: { } handover })
        {
            foreach (var waiter in WaitersOf(lockName, owner))
            {
                waiter.TakeOver(handover, sentAt);
            }
        }
        else
        {
            // A reply before this one, which was lost, may have named one of them.
            foreach (var (_, waiters) in _waiters.Where(entry => entry.Key.LockName == lockName))
            {
                Wake(waiters);
            }
        }
    }

    /// <summary>Begins to listen, and tells the caller nothing of how it went: a lease that hears of no revocation learns of it by its next renewal.</summary>
    public void Listen() => _ = BeginAsync();

    /// <summary>
    /// Begins to listen, and waits for it for a moment: one moment for all callers, so who comes when it is over does not wait. A store that is away
    /// is no obstacle: notifications are a speed-up, and the node goes on trying by itself.
    /// </summary>
    /// <exception cref="LockStoreException">The store refuses for good. The node goes on trying, for somebody may grant it the right.</exception>
    /// <exception cref="OperationCanceledException">The token was cancelled.</exception>
    public async Task ListenAsync(CancellationToken cancellationToken)
    {
        await BeginAsync().WithinAsync(Timeout.InfiniteTimeSpan, time, cancellationToken: cancellationToken).ConfigureAwait(false);
        if (_refusal is { } refusal)
        {
            throw new LockStoreException(refusal.Message, refusal.InnerException);
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

    private static (string LockName, LockOwner Owner) KeyOf(Waiter waiter) => (waiter.Request.LockName, waiter.Request.Owner);

    private Task<bool> BeginAsync()
    {
        TaskCompletionSource<bool> tried;
        Task<bool> begun;
        lock (_gate)
        {
            if (_isDisposed)
            {
                return Task.FromResult(false);
            }

            if (_begun is not null)
            {
                return _begun;
            }

            tried = new TaskCompletionSource<bool>(TaskCreationOptions.RunContinuationsAsynchronously);
            _begun = begun = ForAMomentAsync(tried.Task);
        }

        Subscribe(tried);
        return begun;
    }

    /// <summary>The node's, so no call's end ends it, and nothing of the call's stays with it.</summary>
    private void Subscribe(TaskCompletionSource<bool> tried) => _ = Detached.Run(() => SubscribeAsync(tried));

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

    /// <summary>Tries until the store has the subscription, or the node ends: a store that is away comes back, and one that refuses may be set right.</summary>
    private async Task SubscribeAsync(TaskCompletionSource<bool> tried)
    {
        for (var delay = MinRetryDelay; ; delay = delay * 2 < MaxRetryDelay ? delay * 2 : MaxRetryDelay)
        {
            try
            {
                await KeepAsync(await store.SubscribeAsync(node.Id, Hear).ConfigureAwait(false)).ConfigureAwait(false);
                _refusal = null;
                tried.TrySetResult(true);

                // What happened until it stood may have been missed.
                WakeAll();
                return;
            }
            catch (LockStoreException e)
            {
                Failed(e);
                tried.TrySetResult(false);
            }

            await Task.Delay(delay, time, _disposing.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            if (_disposing.IsCancellationRequested)
            {
                return;
            }
        }
    }

    /// <summary>Remembers a refusal, for who waits has to know, and says it once. That the store is away is said by the calls.</summary>
    private void Failed(LockStoreException error)
    {
        if (!error.IsTransient && _refusal?.Message != error.Message)
        {
            Log.CannotListen(_logger, store.Name, error.Message);
        }

        _refusal = error.IsTransient ? null : error;
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
        else if (notification.Request is { } request)
        {
            leases.AskToStepDown(lockName, owner, notification.FencingToken, request);
        }
        else if (notification.Handover is { } handover)
        {
            foreach (var waiter in WaitersOf(lockName, owner))
            {
                waiter.TakeOver(handover, provenAt: null);
            }
        }
        else
        {
            foreach (var waiter in WaitersOf(lockName, owner))
            {
                waiter.AskAgainIn(notification.After, isPassedBy: notification.Kind == LockNotificationKind.AskAgain);
            }
        }
    }

    private ImmutableArray<Waiter> WaitersOf(string lockName, LockOwner owner) => _waiters.TryGetValue((lockName, owner), out var waiters) ? waiters : [];

    private void WakeAll()
    {
        foreach (var waiters in _waiters.Values)
        {
            foreach (var waiter in waiters)
            {
                waiter.ForgetLastAsk();
            }

            Wake(waiters);
        }
    }

    private static void Wake(ImmutableArray<Waiter> waiters)
    {
        foreach (var waiter in waiters)
        {
            waiter.WakeIn(TimeSpan.Zero);
        }
    }
}
