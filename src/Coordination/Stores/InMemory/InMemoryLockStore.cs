using Coordination.Time;

namespace Coordination.Stores.InMemory;

/// <summary>
/// A store for one process: it keeps every promise of the seam, on a <see cref="TimeProvider"/>, and forgets everything with the
/// process. Several providers may share one instance and are then several nodes.
/// </summary>
public sealed class InMemoryLockStore : ILockStore, ILockStoreAdministration
{
    private const int SweepAtLeastAt = 1024;
    private static readonly DurationRange ByHand = DurationRange.UpTo(TimeSpan.MaxValue);

    private readonly TimeProvider _time;
    private readonly DateTimeOffset _origin;
    private readonly Lock _gate = new();
    private readonly Dictionary<string, LockState> _locks = new(StringComparer.Ordinal);
    private readonly Dictionary<string, List<Subscription>> _subscriptions = new(StringComparer.Ordinal);

    /// <summary>The greatest token of all locks: it grows over the grants of each of them, and is nothing to keep per name.</summary>
    private long _lastToken;
    private int _sweepAt = SweepAtLeastAt;

    /// <summary>Makes an empty store.</summary>
    /// <param name="timeProvider">The clock by which leases run out; null for the system's.</param>
    public InMemoryLockStore(TimeProvider? timeProvider = null)
    {
        _time = timeProvider ?? TimeProvider.System;
        _origin = _time.GetUtcNow() - _time.Uptime;
    }

    /// <inheritdoc/>
    public string Name => "memory";

    /// <inheritdoc/>
    public bool KeepsShares => true;

    /// <summary>How many locks are held or waited for; zero when nothing is left behind.</summary>
    public int Count
    {
        get
        {
            lock (_gate)
            {
                var now = Now;
                return _locks.Values.Count(state => LockProtocol.Describe(state, now) is not null || state.Waiters.Any(waiter => waiter.AliveUntil > now));
            }
        }
    }

    /// <summary>The wall clock as it was when the store was made, and what passed on the monotonic clock since: a step of the wall clock moves no lease.</summary>
    private DateTimeOffset Now => _origin + _time.Uptime;

    /// <inheritdoc/>
    public Task<AcquireReply> AcquireAsync(AcquireRequest request, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(request);
        cancellationToken.ThrowIfCancellationRequested();
        return ChangeAsync(request.LockName, request, LockProtocol.Acquire);
    }

    /// <inheritdoc/>
    public Task<IReadOnlyList<AcquireReply>?> TryAcquireAllAsync(IReadOnlyList<AcquireRequest> requests, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(requests);
        cancellationToken.ThrowIfCancellationRequested();
        IReadOnlyList<LockChange<AcquireReply>> changes;
        lock (_gate)
        {
            var before = requests.Select(request => Find(request.LockName)).ToArray();
            changes = LockProtocol.AcquireAll(before, requests, Now);
            for (var i = 0; i < before.Length; i++)
            {
                Keep(requests[i].LockName, before[i], changes[i].State);
            }
        }

        foreach (var notification in changes.SelectMany(change => change.Notifications))
        {
            Notify(notification);
        }

        return Task.FromResult<IReadOnlyList<AcquireReply>?>([.. changes.Select(change => change.Reply)]);
    }

    /// <inheritdoc/>
    public Task<IReadOnlyList<RenewalReply>> RenewAsync(IReadOnlyList<RenewalRequest> requests, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(requests);
        cancellationToken.ThrowIfCancellationRequested();
        var replies = new RenewalReply[requests.Count];
        lock (_gate)
        {
            var now = Now;
            for (var i = 0; i < replies.Length; i++)
            {
                var request = requests[i];
                var before = Find(request.LockName);
                var change = LockProtocol.Renew(before, request, now);
                Keep(request.LockName, before, change.State);
                replies[i] = change.Reply;
            }
        }

        return Task.FromResult<IReadOnlyList<RenewalReply>>(replies);
    }

    /// <inheritdoc/>
    public Task<ReleaseReply> ReleaseAsync(ReleaseRequest request, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(request);
        // Whatever the token says: it could only end a wait, and there is none.
        return ChangeAsync(request.LockName, request, LockProtocol.Release);
    }

    /// <inheritdoc/>
    public Task<bool> RevokeAsync(string lockName, long fencingToken, TimeSpan claimWindow, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(lockName);
        cancellationToken.ThrowIfCancellationRequested();
        return ChangeAsync(
            lockName,
            (fencingToken, claimWindow, lockName),
            static (state, ask, now) => LockProtocol.Revoke(state, ask.lockName, ask.fencingToken, ask.claimWindow, now));
    }

    /// <inheritdoc/>
    public Task<bool> AskToStepDownAsync(string lockName, long fencingToken, StepDownRequest request, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(lockName);
        ArgumentNullException.ThrowIfNull(request);
        cancellationToken.ThrowIfCancellationRequested();
        return ChangeAsync(
            lockName,
            (fencingToken, request, lockName),
            static (state, ask, now) => LockProtocol.AskToStepDown(state, ask.lockName, ask.fencingToken, ask.request, now));
    }

    /// <inheritdoc/>
    public Task<bool> ForgetOccurrenceAsync(string lockName, string series, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(lockName);
        cancellationToken.ThrowIfCancellationRequested();
        return ChangeAsync(lockName, series, LockProtocol.ForgetOccurrence);
    }

    /// <inheritdoc/>
    public Task<IAsyncDisposable> SubscribeAsync(string nodeId, Action<LockNotification> handler, CancellationToken cancellationToken)
    {
        ArgumentException.ThrowIfNullOrEmpty(nodeId);
        ArgumentNullException.ThrowIfNull(handler);
        cancellationToken.ThrowIfCancellationRequested();
        var subscription = new Subscription(this, nodeId, handler);
        lock (_gate)
        {
            if (!_subscriptions.TryGetValue(nodeId, out var list))
            {
                _subscriptions[nodeId] = list = [];
            }

            list.Add(subscription);
        }

        return Task.FromResult<IAsyncDisposable>(subscription);
    }

    /// <inheritdoc/>
    public Task<LockHolder?> GetHolderAsync(string lockName, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(lockName);
        cancellationToken.ThrowIfCancellationRequested();
        lock (_gate)
        {
            return Task.FromResult(LockProtocol.Describe(Find(lockName), Now));
        }
    }

    /// <inheritdoc/>
    public Task<LockInspection> InspectAsync(string lockName, int maxWaiters, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(lockName);
        cancellationToken.ThrowIfCancellationRequested();
        lock (_gate)
        {
            return Task.FromResult(LockProtocol.Inspect(Find(lockName), lockName, maxWaiters, Now));
        }
    }

    /// <summary>Lists the locks that are held, all on one page.</summary>
    public Task<LockPage> ListAsync(string? cursor, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        lock (_gate)
        {
            var now = Now;
            string[] names = [.. _locks.Where(entry => LockProtocol.Describe(entry.Value, now) is not null).Select(entry => entry.Key)];
            return Task.FromResult(new LockPage { LockNames = names });
        }
    }

    /// <inheritdoc/>
    public Task PingAsync(CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        return Task.CompletedTask;
    }

    /// <summary>
    /// Forgets every lock and every queue, as a server does that lost its data. Tokens go on growing all the same.
    /// </summary>
    public void Clear()
    {
        lock (_gate)
        {
            _locks.Clear();
        }
    }

    /// <summary>Forgets one lock, as an operator does who deletes its key. Its queue stays.</summary>
    /// <returns>Whether anyone held it.</returns>
    public bool Delete(string lockName)
    {
        ArgumentNullException.ThrowIfNull(lockName);
        lock (_gate)
        {
            var before = Find(lockName);
            var isHeld = LockProtocol.Describe(before, Now) is not null;
            Keep(lockName, before, before with { Grants = [] });
            return isHeld;
        }
    }

    /// <summary>
    /// Grants a lock to an owner, whoever holds it or waits for it, as someone does who writes its key by hand. Its queue stays.
    /// </summary>
    /// <param name="lockName">The lock.</param>
    /// <param name="owner">Who is to hold it.</param>
    /// <param name="leaseDuration">How long it is held with no renewal: more than zero.</param>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="leaseDuration"/> is zero or less.</exception>
    public void Assign(string lockName, LockOwner owner, TimeSpan leaseDuration)
    {
        ArgumentNullException.ThrowIfNull(lockName);
        ArgumentNullException.ThrowIfNull(owner);
        ByHand.Validate(nameof(leaseDuration), nameof(leaseDuration), leaseDuration);
        lock (_gate)
        {
            var before = Find(lockName);
            var grant = LockProtocol.NewGrant(before, owner, Now, leaseDuration) with { IsClaimed = true };
            Keep(lockName, before, before with { Capacity = LockCapacity.Exclusive, Grants = [grant], LastToken = grant.FencingToken });
        }
    }

    private Task<TReply> ChangeAsync<TRequest, TReply>(string lockName, TRequest request, Func<LockState, TRequest, DateTimeOffset, LockChange<TReply>> ask)
    {
        LockChange<TReply> change;
        lock (_gate)
        {
            var before = Find(lockName);
            change = ask(before, request, Now);
            Keep(lockName, before, change.State);
        }

        // Outside the lock, because the handlers may call the store.
        foreach (var notification in change.Notifications)
        {
            Notify(notification);
        }

        return Task.FromResult(change.Reply);
    }

    private LockState Find(string lockName)
    {
        if (_locks.TryGetValue(lockName, out var state))
        {
            return state;
        }

        // Tokens follow the wall clock where it is ahead of the store's, as it is when it was put right since the store was made: the resource
        // may have seen those of an earlier process.
        return LockState.Empty with { LastToken = Math.Max(_lastToken, _time.GetUtcNow().UnixMicroseconds - 1) };
    }

    private void Keep(string lockName, LockState before, LockState after)
    {
        if (ReferenceEquals(before, after))
        {
            return;
        }

        _lastToken = Math.Max(_lastToken, after.LastToken);
        if (LockProtocol.IsEmpty(after))
        {
            _locks.Remove(lockName);
            return;
        }

        if (_locks.Count >= _sweepAt)
        {
            Sweep();
        }

        _locks[lockName] = after;
    }

    /// <summary>Drops what has lapsed, so that locks with names of the moment leave nothing behind. Amortized over the names that were added.</summary>
    private void Sweep()
    {
        var now = Now;
        foreach (var (name, state) in _locks)
        {
            if (LockProtocol.IsEmpty(LockProtocol.Expire(state, now)))
            {
                _locks.Remove(name);
            }
        }

        _sweepAt = Math.Max(SweepAtLeastAt, 2 * _locks.Count);
    }

    private void Notify(LockNotification notification)
    {
        Subscription[] listeners;
        lock (_gate)
        {
            listeners = _subscriptions.TryGetValue(notification.Owner!.NodeId, out var list) ? [.. list] : [];
        }

        foreach (var listener in listeners)
        {
            listener.Handler(notification);
        }
    }

    private void Remove(Subscription subscription)
    {
        lock (_gate)
        {
            if (_subscriptions.TryGetValue(subscription.NodeId, out var list) && list.Remove(subscription) && list.Count == 0)
            {
                _subscriptions.Remove(subscription.NodeId);
            }
        }
    }

    private sealed class Subscription(InMemoryLockStore store, string nodeId, Action<LockNotification> handler) : IAsyncDisposable
    {
        public string NodeId { get; } = nodeId;

        public Action<LockNotification> Handler { get; } = handler;

        public ValueTask DisposeAsync()
        {
            store.Remove(this);
            return ValueTask.CompletedTask;
        }
    }
}
