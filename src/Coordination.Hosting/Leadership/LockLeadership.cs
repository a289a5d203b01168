using System.Collections.ObjectModel;
using System.Runtime.CompilerServices;
using System.Threading.Channels;

namespace Coordination.Hosting.Leadership;

/// <summary>
/// What a node knows of who leads by a lock. It learns what the store tells it when it refuses the lock; and it asks when somebody asks it who leads, or
/// watches it, and what it knows is old. Read by everybody.
/// </summary>
internal class LockLeadership : ILeadership, IDisposable
{
    private const int WatcherCapacity = 16;

    /// <summary>What is no older is said without a question.</summary>
    private static readonly TimeSpan Fresh = TimeSpan.FromSeconds(1);

    /// <summary>
    /// What is older is looked at again while somebody watches: the store tells a standby that is not one of the first of nothing before it refuses it the lock the next time.
    /// </summary>
    private static readonly TimeSpan Stale = TimeSpan.FromSeconds(2);

    /// <summary>When to try again where other locks came first.</summary>
    private static readonly TimeSpan NextLook = TimeSpan.FromSeconds(1);

    private readonly string _nodeId;
    private readonly List<ChannelWriter<LeadershipChange>> _watchers = [];
    private readonly CancellationTokenSource _ending = new();
    private readonly LeaderSights _sights;
    private ITimer? _timer;
    private LeadershipChange _published;
    private long? _askedAt;
    private bool _isAsking;
    private bool _cannotAsk;

    /// <summary>Whether several may hold the lock, by what was seen of it last: who it is refused to is told of one of them alone.</summary>
    private bool _isShared;

    /// <param name="lockName">The lock.</param>
    /// <param name="nodeId">This node.</param>
    /// <param name="questions">Asks the store.</param>
    /// <param name="leaseDuration">How often it is asked while somebody watches and nobody leads.</param>
    /// <param name="isShared">Whether several may hold the lock, as far as this node knows before it has asked.</param>
    /// <param name="time">The clock.</param>
    public LockLeadership(string lockName, string nodeId, LeaderQuestions questions, TimeSpan leaseDuration, bool isShared, TimeProvider time)
    {
        LockName = lockName;
        _nodeId = nodeId;
        Questions = questions;
        LeaseDuration = leaseDuration;
        Time = time;
        _isShared = isShared;
        _sights = new LeaderSights(leaseDuration, time);
        _published = new LeadershipChange { LockName = lockName, IsLeader = false, At = time.GetUtcNow() };
    }

    public string LockName { get; }

    public bool IsLeader
    {
        get
        {
            lock (Gate)
            {
                return Look().Own is not null;
            }
        }
    }

    public LeaderInfo? Leader
    {
        get
        {
            lock (Gate)
            {
                AskIfOld();
                return Describe().Leader;
            }
        }
    }

    public IReadOnlyList<LeaderInfo> Leaders
    {
        get
        {
            lock (Gate)
            {
                AskIfOld();
                return Describe().Leaders;
            }
        }
    }

    public virtual bool CanLead => false;

    /// <summary>Guards what it knows.</summary>
    protected Lock Gate { get; } = new();

    protected TimeProvider Time { get; }

    protected LeaderQuestions Questions { get; }

    protected TimeSpan LeaseDuration { get; }

    /// <summary>Whether this node holds the lock and nobody can beside it, so that what the store says of others is old. To be asked inside the gate.</summary>
    protected virtual bool HoldsAlone => false;

    protected bool IsEnded { get; private set; }

    public async IAsyncEnumerable<LeadershipChange> WatchAsync([EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        var channel = Channel.CreateBounded<LeadershipChange>(
            new BoundedChannelOptions(WatcherCapacity) { FullMode = BoundedChannelFullMode.DropOldest, SingleReader = true });
        lock (Gate)
        {
            PublishSeen();
            channel.Writer.TryWrite(_published);
            if (IsEnded)
            {
                channel.Writer.Complete();
            }
            else
            {
                _watchers.Add(channel.Writer);
                if (_sights.IsEmpty || _isShared)
                {
                    TryAsk();
                }

                Arm();
            }
        }

        try
        {
            await foreach (var change in channel.Reader.ReadAllAsync(cancellationToken).ConfigureAwait(false))
            {
                yield return change;
            }
        }
        finally
        {
            lock (Gate)
            {
                _watchers.Remove(channel.Writer);
            }
        }
    }

    public async Task<LeaderInfo?> GetLeaderAsync(CancellationToken cancellationToken = default)
    {
        var leaders = await GetLeadersAsync(cancellationToken).ConfigureAwait(false);
        return leaders.FirstOrDefault(leader => leader.NodeId == _nodeId) ?? Eldest(leaders);
    }

    public async Task<IReadOnlyList<LeaderInfo>> GetLeadersAsync(CancellationToken cancellationToken = default)
    {
        var askedAt = Time.GetTimestamp();
        var holders = await Questions.AskAsync(LockName, Volatile.Read(ref _isShared), cancellationToken).ConfigureAwait(false);
        Saw(holders, areAll: true, askedAt);
        return InOrder(holders.Where(Leads).Select(LeaderSights.Describe));
    }

    public virtual void SetCanLead(bool? canLead) => throw new InvalidOperationException(
        $"No service of this process has the lock '{LockName}', so that it cannot lead by it. Ask a process that has one.");

    public virtual Task<StepDownResult> StepDownAsync(TimeSpan? stayAway = null, string? successor = null, CancellationToken cancellationToken = default) =>
        Questions.Inspector.StepDownAsync(LockName, successor, stayAway, cancellationToken: cancellationToken);

    /// <summary>Learns what the store just said of the lock when it refused it: its holder, or one of several.</summary>
    /// <returns>The leader, if it is another node.</returns>
    public LeaderInfo? Saw(LockHolder holder) =>
        Saw([holder], areAll: holder.Share is null, Time.GetTimestamp()) && Leads(holder) && holder.Owner.NodeId != _nodeId ? LeaderSights.Describe(holder) : null;

    /// <summary>Every watch ends with this, and nothing is asked any more.</summary>
    public virtual void End()
    {
        lock (Gate)
        {
            IsEnded = true;
            KnowNobody();
            Publish(LeadershipChangeCause.HostStopped);
            _watchers.ForEach(static watcher => watcher.TryComplete());
            _watchers.Clear();
            _timer?.Dispose();
        }

        // Who waits for a reply that nobody needs any more goes on by it, and on another thread.
        _ = _ending.CancelAsync();
    }

    public void Dispose() => End();

    /// <summary>Who leads: this node, and all who are known to, of whom it may be one. To be asked inside the gate.</summary>
    protected virtual (LeaderInfo? Own, IEnumerable<LeaderInfo> Seen) Look() => (null, _sights.Leaders);

    /// <summary>The leadership as it is, with what changed it last. To be asked inside the gate.</summary>
    protected LeadershipChange Describe()
    {
        var (own, seen) = Look();
        var leaders = InOrder(own is null ? seen : seen.Where(leader => leader.Instance != own.Instance).Append(own));
        return _published with { IsLeader = own is not null, Leader = own ?? Eldest(leaders), Leaders = leaders };
    }

    /// <summary>Tells watchers, if there is anything new. To be called inside the gate.</summary>
    protected void Publish(LeadershipChangeCause cause) => Publish(Describe(), cause);

    /// <summary>Learns that nobody leads. To be called inside the gate.</summary>
    protected void KnowNobody()
    {
        _sights.Clear();
        Know([], areAll: true);
    }

    /// <summary>Learns that the place of a leader is this node's now. To be called inside the gate.</summary>
    protected void KnowTaken(int place) => _sights.Drop(place);

    /// <summary>Learns of other leaders. To be called inside the gate.</summary>
    /// <param name="seen">Who they are.</param>
    /// <param name="areAll">Whether there are no others.</param>
    protected virtual void Know(IReadOnlyList<LeaderSight> seen, bool areAll)
    {
    }

    /// <summary>Learns who led before, and released the lock. To be called inside the gate.</summary>
    protected virtual void KnowReleased(LeaderInfo before)
    {
    }

    /// <summary>Why watchers are told, where what was seen of others is not all of it. To be asked inside the gate.</summary>
    protected virtual LeadershipChangeCause CauseOf(LeadershipChangeCause cause, bool wasLeader) => cause;

    /// <summary>Whether somebody leads, or only the rest of LockAtLeastFor keeps the lock.</summary>
    private static bool Leads(LockHolder holder) => !holder.IsReleased;

    private static ReadOnlyCollection<LeaderInfo> InOrder(IEnumerable<LeaderInfo> leaders) =>
        leaders.OrderBy(static leader => leader.Instance).ThenBy(static leader => leader.FencingToken).ToList().AsReadOnly();

    private static LeaderInfo? Eldest(IReadOnlyList<LeaderInfo> leaders) => leaders.Count > 0 ? leaders.MinBy(static leader => leader.FencingToken) : null;

    /// <summary>Tells watchers of others that came or went.</summary>
    private void PublishSeen()
    {
        var now = Describe();
        Publish(now, now.Leaders.Except(_published.Leaders).Any() ? LeadershipChangeCause.LeaderSeen : LeadershipChangeCause.LeaderGone);
    }

    private void Publish(LeadershipChange now, LeadershipChangeCause cause)
    {
        if (now != _published)
        {
            var change = now with { Cause = CauseOf(cause, _published.IsLeader), At = Time.GetUtcNow() };
            _published = change;
            _watchers.ForEach(watcher => watcher.TryWrite(change));
        }
    }

    /// <returns>Whether it is news: a reply may come late, and what is known be newer.</returns>
    private bool Saw(IReadOnlyList<LockHolder> holders, bool areAll, long askedAt)
    {
        lock (Gate)
        {
            var current = holders.Where(holder => !_sights.HaveSuccessorOf(holder)).ToList();
            if (IsEnded || HoldsAlone || askedAt < _sights.At || current.Count < Math.Min(holders.Count, 1))
            {
                return false;
            }

            // By what this node sees of itself it does not lead: the grant is on its way here, or was lost. Or it knows better.
            var others = current.Where(holder => holder.Owner.NodeId != _nodeId).ToLookup(Leads);
            _isShared = holders.Count > 0 ? holders[0].Share is not null : _isShared;
            Know(areAll ? _sights.Set(others[true], askedAt) : [.. others[true].Select(_sights.Add)], areAll);
            foreach (var released in others[false])
            {
                KnowReleased(LeaderSights.Describe(released));
            }

            PublishSeen();
            Arm();
            return true;
        }
    }

    /// <summary>Looks again when what is known counts no longer, or is stale and somebody watches. Asks only if somebody does.</summary>
    private void Arm()
    {
        var due = IsEnded || HoldsAlone ? Timeout.InfiniteTimeSpan
            : _watchers.Count > 0 && !_cannotAsk ? Soon(Stale - Time.GetElapsedTime(_sights.At), NextLook)
            : !_sights.IsEmpty ? Soon(_sights.FirstEndsIn + LeaderSights.Grace, LeaseDuration)
            : _watchers.Count > 0 ? Soon(_sights.FirstEndsIn, LeaseDuration)
            : Timeout.InfiniteTimeSpan;
        if (_timer is null && due != Timeout.InfiniteTimeSpan)
        {
            // It lives as long as this does, and keeps nothing of whoever asks first.
            using (ExecutionContext.SuppressFlow())
            {
                _timer = Time.CreateTimer(static leadership => ((LockLeadership)leadership!).LookAgain(), this, due, Timeout.InfiniteTimeSpan);
            }
        }
        else
        {
            _timer?.Change(due, Timeout.InfiniteTimeSpan);
        }

        static TimeSpan Soon(TimeSpan left, TimeSpan again) => left > TimeSpan.FromMilliseconds(-1) ? left + TimeSpan.FromMilliseconds(1) : again;
    }

    private void LookAgain()
    {
        lock (Gate)
        {
            if (IsEnded || HoldsAlone)
            {
                return;
            }

            var left = _sights.FirstEndsIn;
            if (_watchers.Count > 0 && left > -LeaderSights.Grace)
            {
                if (Time.GetElapsedTime(_sights.At) >= Stale && Questions.MayLook())
                {
                    TryAsk();
                }
            }
            else if (left <= TimeSpan.Zero && (_watchers.Count == 0 || !TryAsk()))
            {
                _sights.DropEnded();
                PublishSeen();
            }

            Arm();
        }
    }

    /// <summary>For whoever asks next, where what is known is old, or is not all.</summary>
    private void AskIfOld()
    {
        if (((_sights.IsEmpty || _isShared) && _askedAt is null) || Time.GetElapsedTime(Math.Max(_askedAt ?? _sights.At, _sights.At)) >= Fresh)
        {
            TryAsk();
        }
    }

    /// <returns>Whether a question is on its way.</returns>
    private bool TryAsk()
    {
        if (_isAsking)
        {
            return true;
        }

        if (IsEnded || HoldsAlone || _cannotAsk || !Questions.MayAsk(LockName))
        {
            return false;
        }

        (_isAsking, _askedAt) = (true, Time.GetTimestamp());

        // With nothing of whoever asked.
        ThreadPool.UnsafeQueueUserWorkItem(static leadership => _ = leadership.AskAsync(), this, preferLocal: false);
        return true;
    }

    private async Task AskAsync()
    {
        var isKnown = false;
        try
        {
            await GetLeadersAsync(_ending.Token).ConfigureAwait(false);
            isKnown = true;
        }
        catch (NotSupportedException)
        {
            // The store has no administration, and will have none: what it says when it refuses the lock is all that is to be learned.
            _cannotAsk = true;
        }
        catch (Exception exception) when (exception is LockStoreException or OperationCanceledException or ObjectDisposedException)
        {
            // No reply: mostly the store is away, which the lock tells of, or everything ends. Nobody waits for this, and who asks for himself gets the exception. Nobody can say who leads until there
            // is a reply.
        }
        finally
        {
            // Also where this fails by what nobody expected, which the platform reports as an exception that nobody observed.
            lock (Gate)
            {
                _isAsking = false;
                if (!isKnown && !IsEnded && !HoldsAlone && _sights.FirstEndsIn < TimeSpan.Zero)
                {
                    _sights.DropEnded();
                    PublishSeen();
                }

                Arm();
            }
        }
    }
}
