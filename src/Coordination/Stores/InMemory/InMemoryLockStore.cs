using Coordination.Time;

namespace Coordination.Stores.InMemory;

/// <summary>
/// A store for one process: it keeps every promise of the seam, on a <see cref="TimeProvider"/>, and forgets everything with the
/// process. Several providers may share one instance and are then several nodes.
/// </summary>
public sealed class InMemoryLockStore : ILockStore, ILockStoreAdministration
{
    private const int SweepAtLeastAt = 1024;

    private readonly TimeProvider _time;
    private readonly FencingTokens _tokens;
    private readonly Lock _gate = new();
    private readonly Dictionary<string, InMemoryLock> _locks = new(StringComparer.Ordinal);
    private readonly Dictionary<string, List<Subscription>> _subscriptions = new(StringComparer.Ordinal);
    private int _sweepAt = SweepAtLeastAt;

    /// <summary>Makes an empty store.</summary>
    /// <param name="timeProvider">The clock by which leases run out; null for the system's.</param>
    public InMemoryLockStore(TimeProvider? timeProvider = null)
    {
        _time = timeProvider ?? TimeProvider.System;
        _tokens = new FencingTokens(_time);
    }

    /// <inheritdoc/>
    public string Name => "memory";

    /// <summary>How many locks are held or waited for; zero when nothing is left behind.</summary>
    public int Count
    {
        get
        {
            lock (_gate)
            {
                return _locks.Values.Count(held => held.IsInUse(_time.Uptime));
            }
        }
    }

    /// <inheritdoc/>
    public Task<AcquireReply> AcquireAsync(AcquireRequest request, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(request);
        cancellationToken.ThrowIfCancellationRequested();
        return ChangeAsync(request.LockName, (held, now, news) => held.Acquire(request, now, news));
    }

    /// <inheritdoc/>
    public Task<IReadOnlyList<RenewalReply>> RenewAsync(IReadOnlyList<RenewalRequest> requests, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(requests);
        cancellationToken.ThrowIfCancellationRequested();
        var replies = new RenewalReply[requests.Count];
        lock (_gate)
        {
            for (var i = 0; i < replies.Length; i++)
            {
                var request = requests[i];
                replies[i] = Find(request.LockName, out var now) is { } held ? held.Renew(request, now) : RenewalReply.NotHeld;
            }
        }

        return Task.FromResult<IReadOnlyList<RenewalReply>>(replies);
    }

    /// <inheritdoc/>
    public Task<ReleaseReply> ReleaseAsync(ReleaseRequest request, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(request);
        // Whatever the token says: it could only end a wait, and there is none.
        return ChangeAsync(request.LockName, (held, now, news) => held.Release(request, now, news));
    }

    /// <inheritdoc/>
    public Task<bool> RevokeAsync(string lockName, long fencingToken, TimeSpan claimWindow, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(lockName);
        cancellationToken.ThrowIfCancellationRequested();
        return ChangeAsync(lockName, (held, now, news) => held.Revoke(fencingToken, claimWindow, now, news));
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
            return Task.FromResult(Find(lockName, out var now)?.Describe(now));
        }
    }

    /// <inheritdoc/>
    public Task<LockInspection> InspectAsync(string lockName, int maxWaiters, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(lockName);
        cancellationToken.ThrowIfCancellationRequested();
        lock (_gate)
        {
            return Task.FromResult(Find(lockName, out var now)?.Inspect(maxWaiters, now) ?? new LockInspection { LockName = lockName });
        }
    }

    /// <summary>Lists the locks that are held, all on one page.</summary>
    public Task<LockPage> ListAsync(string? cursor, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        lock (_gate)
        {
            string[] names = [.. _locks.Keys.Where(name => Find(name, out _)!.IsHeld)];
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
            if (!_locks.TryGetValue(lockName, out var held) || !held.IsHeld)
            {
                return false;
            }

            held.Free();
            return true;
        }
    }

    /// <summary>
    /// Grants a lock to an owner, whoever holds it or waits for it, as someone does who writes its key by hand. Its queue stays.
    /// </summary>
    /// <param name="lockName">The lock.</param>
    /// <param name="owner">Who is to hold it.</param>
    /// <param name="leaseDuration">How long it is held with no renewal.</param>
    public void Assign(string lockName, LockOwner owner, TimeSpan leaseDuration)
    {
        ArgumentNullException.ThrowIfNull(lockName);
        ArgumentNullException.ThrowIfNull(owner);
        lock (_gate)
        {
            GetOrAdd(lockName).Grant(owner, _time.Uptime, leaseDuration, isClaimed: true);
        }
    }

    private Task<T> ChangeAsync<T>(string lockName, Func<InMemoryLock, TimeSpan, List<LockNotification>, T> change)
    {
        var news = new List<LockNotification>();
        T reply;
        lock (_gate)
        {
            var held = GetOrAdd(lockName);
            var now = _time.Uptime;
            held.Expire(now);
            reply = change(held, now, news);
            if (held.IsEmpty)
            {
                _locks.Remove(lockName);
            }
        }

        // Outside the lock, for the handlers may call the store.
        news.ForEach(Notify);
        return Task.FromResult(reply);
    }

    private InMemoryLock? Find(string lockName, out TimeSpan now)
    {
        now = _time.Uptime;
        var found = _locks.GetValueOrDefault(lockName);
        found?.Expire(now);
        return found;
    }

    private InMemoryLock GetOrAdd(string lockName)
    {
        if (!_locks.TryGetValue(lockName, out var held))
        {
            if (_locks.Count >= _sweepAt)
            {
                Sweep();
            }

            _locks[lockName] = held = new InMemoryLock(lockName, _tokens);
        }

        return held;
    }

    /// <summary>Drops what has lapsed, so that locks with made-up names leak nothing. Amortized over the names that were added.</summary>
    private void Sweep()
    {
        var now = _time.Uptime;
        foreach (var (name, held) in _locks)
        {
            held.Expire(now);
            held.ForgetDeadWaiters(now);
            if (held.IsEmpty)
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
