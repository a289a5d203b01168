namespace Coordination.Stores.InMemory;

/// <summary>One lock of the in-memory store, with its queue. What it has to tell to nodes it adds to a list. Not safe for use by several threads.</summary>
internal sealed class InMemoryLock(string name, FencingTokens tokens)
{
    /// <summary>What a waiter has on top of the holder's time to live and a claim window before it counts as dead.</summary>
    private static readonly TimeSpan WaiterGrace = TimeSpan.FromSeconds(1);

    /// <summary>How long a dead waiter keeps its place at least, in case it was only slow.</summary>
    private static readonly TimeSpan WaiterRetention = TimeSpan.FromSeconds(60);

    /// <summary>How many nodes are told to ask again when a lock is passed on.</summary>
    private const int NodesTold = 3;

    private readonly HashSet<long> _entries = [];
    private readonly List<QueuedWaiter> _waiters = [];
    private LockOwner? _holder;
    private long _token;
    private DateTimeOffset _since;
    private TimeSpan _grantedAt;
    private TimeSpan _expiresAt;
    private bool _isClaimed;
    private bool _isReleased;

    /// <summary>Tokens of grants that an administrator ended, until their leases would have.</summary>
    private readonly Dictionary<long, TimeSpan> _taken = [];

    private readonly InMemoryOccurrences _occurrences = new();

    /// <summary>Whether there is nothing to remember of it.</summary>
    public bool IsEmpty => _holder is null && _waiters.Count == 0 && _taken.Count == 0 && _occurrences.IsEmpty;

    /// <summary>Whether it is held or waited for.</summary>
    public bool IsInUse(TimeSpan now) => (_holder is not null && _expiresAt > now) || _waiters.Exists(waiter => waiter.AliveUntil > now);

    public bool IsHeld => _holder is not null;

    /// <summary>Lets go of what has run out.</summary>
    public void Expire(TimeSpan now)
    {
        if (_holder is not null && _expiresAt <= now)
        {
            Free();
        }

        foreach (var (token, until) in _taken)
        {
            if (until <= now)
            {
                _taken.Remove(token);
            }
        }

        _occurrences.Expire(now);
    }

    /// <summary>Forgets waiters that have been dead for long.</summary>
    public void ForgetDeadWaiters(TimeSpan now) => _waiters.RemoveAll(waiter => waiter.AliveUntil + WaiterRetention < now);

    public LockHolder? Describe(TimeSpan now) => _holder is null
        ? null
        : new LockHolder { Owner = _holder, FencingToken = _token, Since = _since, TimeToLive = _expiresAt - now, IsReleased = _isReleased };

    public LockInspection Inspect(int maxWaiters, TimeSpan now)
    {
        var waiters = _waiters.Take(maxWaiters).Select(waiter => new LockWaiter { Owner = waiter.Owner, WaitingFor = now - waiter.Since, IsAlive = waiter.AliveUntil > now });
        return new LockInspection { LockName = name, Holder = Describe(now), Waiters = [.. waiters], WaiterCount = _waiters.Count };
    }

    public AcquireReply Acquire(AcquireRequest request, TimeSpan now, List<LockNotification> news)
    {
        var (occurrence, run) = request.Occurrence is { } wanted ? _occurrences.Judge(wanted) : (OccurrenceStatus.None, null);
        if (occurrence == OccurrenceStatus.AlreadyRun)
        {
            _waiters.RemoveAll(waiter => waiter.Owner == request.Owner && waiter.Entry == request.Entry);
            return AcquireReply.AlreadyRun(run);
        }

        if (_holder is null)
        {
            var first = request.AllowBarging ? null : FirstLive(now);
            if (first is null || first.Owner == request.Owner)
            {
                Grant(request.Owner, now, request.LeaseDuration, isClaimed: true);
            }
            else
            {
                HandOver(first, now, request.ClaimWindow, news);
            }
        }

        if (IsHeldBy(request.Owner))
        {
            _entries.Add(request.Entry);
            _waiters.RemoveAll(waiter => waiter.Owner == request.Owner);
            Extend(now + request.LeaseDuration);
            if (request.Occurrence is not null)
            {
                _occurrences.Take(request.Occurrence, now);
            }

            return new AcquireReply { FencingToken = _token, OccurrenceStatus = occurrence, OccurrenceRun = run };
        }

        return new AcquireReply
        {
            Holder = Describe(now),
            WaitersBefore = request.Wait ? Queue(request, now) : 0,
            OccurrenceStatus = occurrence == OccurrenceStatus.Recovering ? OccurrenceStatus.Running : OccurrenceStatus.None,
            OccurrenceRun = run,
        };
    }

    public RenewalReply Renew(RenewalRequest request, TimeSpan now)
    {
        if (IsHeldBy(request.Owner) && (request.FencingToken ?? _token) == _token)
        {
            Extend(now + request.LeaseDuration);
            return RenewalReply.Renewed;
        }

        return request.FencingToken is { } token && _taken.ContainsKey(token) ? RenewalReply.Revoked : RenewalReply.NotHeld;
    }

    public ReleaseReply Release(ReleaseRequest request, TimeSpan now, List<LockNotification> news)
    {
        _waiters.RemoveAll(waiter => waiter.Owner == request.Owner && waiter.Entry == request.Entry);
        if (!IsHeldBy(request.Owner))
        {
            return ReleaseReply.NotHeld;
        }

        _entries.Remove(request.Entry);

        // A lock that was passed to a newer wait of the owner, and is not claimed yet, is that one's.
        if (_entries.Count > 0 || (!_isClaimed && _waiters.Exists(waiter => waiter.Owner == request.Owner)))
        {
            return ReleaseReply.StillHeldByOwner;
        }

        if (request.Occurrence is not null)
        {
            _occurrences.End(request.Occurrence, request.OccurrenceIsFinished);
        }

        var takenUntil = _grantedAt + request.LockAtLeastFor;
        if (takenUntil > now)
        {
            _isReleased = true;
            _expiresAt = takenUntil;
            TellNext(exceptNode: null, now, takenUntil - now, request.ClaimWindow, news);
        }
        else if (request.AllowBarging)
        {
            Free();
            TellNext(exceptNode: null, now, TimeSpan.Zero, request.ClaimWindow, news);
        }
        else
        {
            PassOn(now, request.ClaimWindow, news);
        }

        return ReleaseReply.Released;
    }

    public bool Revoke(long fencingToken, TimeSpan claimWindow, TimeSpan now, List<LockNotification> news)
    {
        if (_holder is null || _token != fencingToken)
        {
            // A repeated request is answered as the first one was.
            return _taken.ContainsKey(fencingToken);
        }

        if (!_isReleased)
        {
            _taken[_token] = _expiresAt;
            news.Add(LockNotification.Revoked(name, _holder, _token));
        }

        PassOn(now, claimWindow, news);
        return true;
    }

    public void Grant(LockOwner owner, TimeSpan now, TimeSpan lasts, bool isClaimed)
    {
        (_token, _since) = tokens.Next();
        _holder = owner;
        _grantedAt = now;
        _expiresAt = now + lasts;
        _isClaimed = isClaimed;
        _isReleased = false;
        _entries.Clear();
    }

    public void Free()
    {
        _holder = null;
        _entries.Clear();
    }

    private bool IsHeldBy(LockOwner owner) => _holder == owner && !_isReleased;

    private QueuedWaiter? FirstLive(TimeSpan now) => _waiters.Find(waiter => waiter.AliveUntil > now);

    /// <returns>How many stand before it.</returns>
    private int Queue(AcquireRequest request, TimeSpan now)
    {
        var place = _waiters.FindIndex(waiter => waiter.Owner == request.Owner);
        if (place < 0)
        {
            ForgetDeadWaiters(now);
            _waiters.Add(new QueuedWaiter(request.Owner, now));
            place = _waiters.Count - 1;
        }

        _waiters[place].Entry = request.Entry;
        _waiters[place].AliveUntil = _expiresAt + request.ClaimWindow + WaiterGrace;
        return place;
    }

    /// <summary>Passes the lock to the first live waiter, or leaves it free when there is none.</summary>
    private void PassOn(TimeSpan now, TimeSpan claimWindow, List<LockNotification> news)
    {
        Free();
        if (FirstLive(now) is { } next)
        {
            HandOver(next, now, claimWindow, news);
        }
    }

    private void HandOver(QueuedWaiter waiter, TimeSpan now, TimeSpan claimWindow, List<LockNotification> news)
    {
        Grant(waiter.Owner, now, claimWindow, isClaimed: false);

        // If it does not claim it is skipped from here on, until it asks again: a dead waiter costs one claim window, once.
        waiter.AliveUntil = now;
        news.Add(LockNotification.Granted(name, waiter.Owner));
        TellNext(waiter.Owner.NodeId, now, claimWindow, claimWindow, news);
    }

    /// <summary>
    /// Tells the next live waiters to ask again, one for each node: the first after some time, each further one a claim window later,
    /// for those before it may be dead and leave the lock lying.
    /// </summary>
    private void TellNext(string? exceptNode, TimeSpan now, TimeSpan after, TimeSpan claimWindow, List<LockNotification> news)
    {
        var next = _waiters
            .Where(waiter => waiter.AliveUntil > now && waiter.Owner.NodeId != exceptNode)
            .DistinctBy(waiter => waiter.Owner.NodeId)
            .Take(NodesTold);
        foreach (var waiter in next)
        {
            news.Add(LockNotification.AskAgain(name, waiter.Owner, after));
            after += claimWindow;
        }
    }

    private void Extend(TimeSpan until)
    {
        _expiresAt = _isClaimed && _expiresAt > until ? _expiresAt : until;
        _isClaimed = true;
    }

    private sealed class QueuedWaiter(LockOwner owner, TimeSpan since)
    {
        public LockOwner Owner { get; } = owner;

        public TimeSpan Since { get; } = since;

        /// <summary>The entry that asked last: only its release leaves the queue.</summary>
        public long Entry { get; set; }

        public TimeSpan AliveUntil { get; set; }
    }
}
