namespace Coordination.Stores;

/// <summary>
/// A store for one process: it keeps every promise of the seam, on a <see cref="TimeProvider"/>, and forgets everything with the
/// process. Several providers may share one instance and are then several nodes.
/// </summary>
public sealed class InMemoryLockStore : ILockStore
{
    /// <summary>What a waiter has on top of the holder's time to live and a claim window before it counts as dead.</summary>
    private static readonly TimeSpan WaiterGrace = TimeSpan.FromSeconds(1);

    /// <summary>How long a dead waiter keeps its place at least, in case it was only slow.</summary>
    private static readonly TimeSpan WaiterRetention = TimeSpan.FromSeconds(60);

    private const int SweepAtLeastAt = 1024;

    private readonly TimeProvider _time;
    private readonly Lock _gate = new();
    private readonly Dictionary<string, LockRecord> _locks = new(StringComparer.Ordinal);
    private readonly Dictionary<string, List<Subscription>> _subscriptions = new(StringComparer.Ordinal);
    private long _lastToken;
    private int _sweepAt = SweepAtLeastAt;

    /// <summary>Makes an empty store.</summary>
    /// <param name="timeProvider">The clock by which leases run out; null for the system's.</param>
    public InMemoryLockStore(TimeProvider? timeProvider = null) => _time = timeProvider ?? TimeProvider.System;

    /// <inheritdoc/>
    public string Name => "memory";

    /// <inheritdoc/>
    public Task<AcquireReply> AcquireAsync(AcquireRequest request, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(request);
        cancellationToken.ThrowIfCancellationRequested();
        Passed? passed = null;
        AcquireReply reply;
        lock (_gate)
        {
            var record = GetOrAdd(request.LockName);
            var now = _time.Uptime;
            Expire(record, now);
            if (record.Holder is null)
            {
                var first = record.FirstLive(now);
                if (first is null || first.Owner == request.Owner)
                {
                    Grant(record, request.Owner, now, request.LeaseDuration, claimed: true);
                }
                else
                {
                    passed = PassOn(request.LockName, record, first, now, request.ClaimWindow);
                }
            }

            reply = Answer(record, request, now);
        }

        Notify(passed);
        return Task.FromResult(reply);
    }

    /// <inheritdoc/>
    public Task<IReadOnlyList<bool>> RenewAsync(IReadOnlyList<RenewalRequest> requests, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(requests);
        cancellationToken.ThrowIfCancellationRequested();
        var answers = new bool[requests.Count];
        lock (_gate)
        {
            var now = _time.Uptime;
            for (var i = 0; i < answers.Length; i++)
            {
                if (_locks.TryGetValue(requests[i].LockName, out var record))
                {
                    Expire(record, now);
                    if (record.Holder == requests[i].Owner)
                    {
                        Extend(record, now + requests[i].LeaseDuration);
                        answers[i] = true;
                    }
                }
            }
        }

        return Task.FromResult<IReadOnlyList<bool>>(answers);
    }

    /// <inheritdoc/>
    public Task<ReleaseReply> ReleaseAsync(ReleaseRequest request, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(request);
        cancellationToken.ThrowIfCancellationRequested();
        Passed? passed = null;
        ReleaseReply reply;
        lock (_gate)
        {
            if (!_locks.TryGetValue(request.LockName, out var record))
            {
                return Task.FromResult(ReleaseReply.NotHeld);
            }

            var now = _time.Uptime;
            Expire(record, now);
            record.Waiters.RemoveAll(w => w.Owner == request.Owner && w.Entry == request.Entry);
            if (record.Holder != request.Owner)
            {
                reply = ReleaseReply.NotHeld;
            }
            else
            {
                record.Entries.Remove(request.Entry);

                // A lock that was passed to a newer wait of the owner, and is not claimed yet, is that one's.
                var isKept = record.Entries.Count > 0 || (!record.IsClaimed && record.Waiters.Exists(w => w.Owner == request.Owner));
                reply = isKept ? ReleaseReply.StillHeldByOwner : ReleaseReply.Released;
                if (reply == ReleaseReply.Released)
                {
                    record.Free();
                    if (record.FirstLive(now) is { } next)
                    {
                        passed = PassOn(request.LockName, record, next, now, request.ClaimWindow);
                    }
                }
            }

            if (record.IsEmpty)
            {
                _locks.Remove(request.LockName);
            }
        }

        Notify(passed);
        return Task.FromResult(reply);
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
            var now = _time.Uptime;
            if (!_locks.TryGetValue(lockName, out var record))
            {
                return Task.FromResult<LockHolder?>(null);
            }

            Expire(record, now);
            return Task.FromResult(record.Describe(now));
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
            if (!_locks.TryGetValue(lockName, out var record) || record.Holder is null)
            {
                return false;
            }

            record.Free();
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
            Grant(GetOrAdd(lockName), owner, _time.Uptime, leaseDuration, claimed: true);
        }
    }

    /// <summary>How many locks are held or waited for; zero when nothing is left behind.</summary>
    public int Count
    {
        get
        {
            lock (_gate)
            {
                var now = _time.Uptime;
                return _locks.Values.Count(r => (r.Holder is not null && r.ExpiresAt > now) || r.Waiters.Exists(w => w.AliveUntil > now));
            }
        }
    }

    private static AcquireReply Answer(LockRecord record, AcquireRequest request, TimeSpan now)
    {
        if (record.Holder == request.Owner)
        {
            record.Entries.Add(request.Entry);
            record.Waiters.RemoveAll(w => w.Owner == request.Owner);
            Extend(record, now + request.LeaseDuration);
            return new AcquireReply(record.Token, record.Describe(now), WaitersBefore: 0);
        }

        var holder = record.Describe(now)!;
        if (!request.Wait)
        {
            return new AcquireReply(null, holder, WaitersBefore: 0);
        }

        var place = record.Waiters.FindIndex(w => w.Owner == request.Owner);
        if (place < 0)
        {
            record.Waiters.RemoveAll(w => w.AliveUntil + WaiterRetention < now);
            record.Waiters.Add(new QueuedWaiter(request.Owner));
            place = record.Waiters.Count - 1;
        }

        record.Waiters[place].Entry = request.Entry;
        record.Waiters[place].AliveUntil = now + holder.TimeToLive + request.ClaimWindow + WaiterGrace;
        return new AcquireReply(null, holder, place);
    }

    private void Grant(LockRecord record, LockOwner owner, TimeSpan now, TimeSpan lasts, bool claimed)
    {
        var wallClock = _time.GetUtcNow();

        // One counter for all locks grows over the grants of each of them, and is nothing to keep per name.
        _lastToken = Math.Max(_lastToken + 1, (wallClock - DateTimeOffset.UnixEpoch).Ticks / TimeSpan.TicksPerMicrosecond);
        record.Holder = owner;
        record.Token = _lastToken;
        record.Since = wallClock;
        record.ExpiresAt = now + lasts;
        record.IsClaimed = claimed;
        record.Entries.Clear();
    }

    private Passed PassOn(string lockName, LockRecord record, QueuedWaiter waiter, TimeSpan now, TimeSpan claimWindow)
    {
        Grant(record, waiter.Owner, now, claimWindow, claimed: false);

        // If it does not claim it is skipped from here on, until it asks again: a dead waiter costs one claim window, once.
        waiter.AliveUntil = now;
        return new Passed(lockName, waiter.Owner);
    }

    private static void Extend(LockRecord record, TimeSpan until)
    {
        record.ExpiresAt = record.IsClaimed && record.ExpiresAt > until ? record.ExpiresAt : until;
        record.IsClaimed = true;
    }

    private static void Expire(LockRecord record, TimeSpan now)
    {
        if (record.Holder is not null && record.ExpiresAt <= now)
        {
            record.Free();
        }
    }

    private LockRecord GetOrAdd(string lockName)
    {
        if (!_locks.TryGetValue(lockName, out var record))
        {
            if (_locks.Count >= _sweepAt)
            {
                Sweep();
            }

            _locks[lockName] = record = new LockRecord();
        }

        return record;
    }

    /// <summary>Drops what has lapsed, so that locks with made-up names leak nothing. Amortized over the names that were added.</summary>
    private void Sweep()
    {
        var now = _time.Uptime;
        foreach (var (name, record) in _locks)
        {
            Expire(record, now);
            record.Waiters.RemoveAll(w => w.AliveUntil + WaiterRetention < now);
            if (record.IsEmpty)
            {
                _locks.Remove(name);
            }
        }

        _sweepAt = Math.Max(SweepAtLeastAt, 2 * _locks.Count);
    }

    private void Notify(Passed? passed)
    {
        if (passed is null)
        {
            return;
        }

        Subscription[] listeners;
        lock (_gate)
        {
            listeners = _subscriptions.TryGetValue(passed.Owner.NodeId, out var list) ? [.. list] : [];
        }

        foreach (var listener in listeners)
        {
            listener.Handler(new LockNotification(LockNotificationKind.Granted, passed.LockName, passed.Owner));
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

    private sealed record Passed(string LockName, LockOwner Owner);

    private sealed class QueuedWaiter(LockOwner owner)
    {
        public LockOwner Owner { get; } = owner;

        /// <summary>The entry that asked last: only its release leaves the queue.</summary>
        public long Entry { get; set; }

        public TimeSpan AliveUntil { get; set; }
    }

    private sealed class LockRecord
    {
        public LockOwner? Holder { get; set; }

        public long Token { get; set; }

        public DateTimeOffset Since { get; set; }

        public TimeSpan ExpiresAt { get; set; }

        public bool IsClaimed { get; set; }

        public HashSet<long> Entries { get; } = [];

        public List<QueuedWaiter> Waiters { get; } = [];

        public bool IsEmpty => Holder is null && Waiters.Count == 0;

        public QueuedWaiter? FirstLive(TimeSpan now) => Waiters.Find(w => w.AliveUntil > now);

        public LockHolder? Describe(TimeSpan now) => Holder is null ? null : new LockHolder(Holder, Token, Since, ExpiresAt - now);

        public void Free()
        {
            Holder = null;
            Entries.Clear();
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
