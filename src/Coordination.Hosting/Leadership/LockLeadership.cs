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

    /// <summary>How much longer than the leader's lease it counts: whoever waits for its end asks a little later, and has to get a reply.</summary>
    private static readonly TimeSpan Grace = TimeSpan.FromSeconds(1);

    private readonly string _nodeId;
    private readonly LeaderQuestions _questions;
    private readonly List<ChannelWriter<LeadershipChange>> _watchers = [];
    private readonly CancellationTokenSource _ending = new();
    private ITimer? _timer;
    private LeaderSight _sight;
    private LeadershipChange _published;
    private long? _askedAt;
    private bool _isAsking;
    private bool _cannotAsk;

    /// <param name="lockName">The lock.</param>
    /// <param name="nodeId">This node.</param>
    /// <param name="questions">Asks the store.</param>
    /// <param name="leaseDuration">How often it is asked while somebody watches and nobody leads.</param>
    /// <param name="time">The clock.</param>
    public LockLeadership(string lockName, string nodeId, LeaderQuestions questions, TimeSpan leaseDuration, TimeProvider time)
    {
        LockName = lockName;
        _nodeId = nodeId;
        _questions = questions;
        LeaseDuration = leaseDuration;
        Time = time;
        _sight = new LeaderSight(null, time.GetTimestamp(), leaseDuration);
        _published = new LeadershipChange { LockName = lockName, IsLeader = false, At = time.GetUtcNow() };
    }

    public string LockName { get; }

    public bool IsLeader
    {
        get
        {
            lock (Gate)
            {
                return Look().IsLeader;
            }
        }
    }

    public LeaderInfo? Leader
    {
        get
        {
            lock (Gate)
            {
                if ((_sight.Leader is null && _askedAt is null) || Time.GetElapsedTime(Math.Max(_askedAt ?? _sight.At, _sight.At)) >= Fresh)
                {
                    TryAsk();
                }

                return Look().Leader;
            }
        }
    }

    /// <summary>Guards what it knows.</summary>
    protected Lock Gate { get; } = new();

    protected TimeProvider Time { get; }

    protected TimeSpan LeaseDuration { get; }

    /// <summary>Whether this node holds the lock, so that what the store says of others is old. To be asked inside the gate.</summary>
    protected virtual bool Holds => false;

    protected bool IsEnded { get; private set; }

    public async IAsyncEnumerable<LeadershipChange> WatchAsync([EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        var channel = Channel.CreateBounded<LeadershipChange>(
            new BoundedChannelOptions(WatcherCapacity) { FullMode = BoundedChannelFullMode.DropOldest, SingleReader = true });
        lock (Gate)
        {
            Publish(LeadershipChangeCause.LeaderGone);
            channel.Writer.TryWrite(_published);
            if (IsEnded)
            {
                channel.Writer.Complete();
            }
            else
            {
                _watchers.Add(channel.Writer);
                if (_sight.Leader is null)
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
        var askedAt = Time.GetTimestamp();
        var holder = await _questions.AskAsync(LockName, cancellationToken).ConfigureAwait(false);
        Saw(holder, askedAt);
        return ToLeader(holder);
    }

    /// <summary>Learns what the store just said of the lock.</summary>
    /// <returns>The leader, if it is another node.</returns>
    public LeaderInfo? Saw(LockHolder holder) => Saw(holder, Time.GetTimestamp());

    /// <summary>Every watch ends with this, and nothing is asked any more.</summary>
    public virtual void End()
    {
        lock (Gate)
        {
            IsEnded = true;
            Know(null, Timeout.InfiniteTimeSpan);
            Publish(LeadershipChangeCause.HostStopped);
            _watchers.ForEach(static watcher => watcher.TryComplete());
            _watchers.Clear();
            _timer?.Dispose();
        }

        // Who waits for a reply that nobody needs any more goes on by it, and on another thread.
        _ = _ending.CancelAsync();
    }

    public void Dispose() => End();

    /// <summary>The leadership as it is. To be asked inside the gate.</summary>
    protected virtual (bool IsLeader, LeaderInfo? Leader) Look() =>
        (false, _sight.Leader is not null && Time.GetElapsedTime(_sight.At) <= _sight.Lasts + Grace ? _sight.Leader : null);

    /// <summary>The leadership as it is, with what changed it last. To be asked inside the gate.</summary>
    protected LeadershipChange Describe()
    {
        var (isLeader, leader) = Look();
        return _published with { IsLeader = isLeader, Leader = leader };
    }

    /// <summary>Tells watchers, if there is anything new. To be called inside the gate.</summary>
    protected virtual void Publish(LeadershipChangeCause cause)
    {
        var (isLeader, leader) = Look();
        if (isLeader != _published.IsLeader || leader != _published.Leader)
        {
            var change = new LeadershipChange { LockName = LockName, IsLeader = isLeader, Leader = leader, Cause = cause, At = Time.GetUtcNow() };
            _published = change;
            _watchers.ForEach(watcher => watcher.TryWrite(change));
        }
    }

    /// <summary>Learns of another leader, or that there is none. To be called inside the gate.</summary>
    protected virtual void Know(LeaderInfo? leader, TimeSpan lasts) => _sight = new LeaderSight(leader, Time.GetTimestamp(), lasts);

    /// <summary>Learns who led before, and released the lock. To be called inside the gate.</summary>
    protected virtual void KnowReleased(LeaderInfo before)
    {
    }

    private LeaderInfo? Saw(LockHolder? holder, long askedAt)
    {
        lock (Gate)
        {
            // A reply may come late, and what is known be newer.
            if (IsEnded || Holds || askedAt < _sight.At || holder?.FencingToken < _sight.Leader?.FencingToken)
            {
                return null;
            }

            // By what this node sees of itself it does not lead: the grant is on its way here, or was lost.
            var other = holder?.Owner.NodeId == _nodeId ? null : ToLeader(holder);
            Know(other, holder?.TimeToLive ?? LeaseDuration);
            if (holder is { IsReleased: true } && holder.Owner.NodeId != _nodeId)
            {
                KnowReleased(Describe(holder));
            }

            Publish(other is null ? LeadershipChangeCause.LeaderGone : LeadershipChangeCause.LeaderSeen);
            Arm();
            return other;
        }
    }

    /// <summary>Looks again when what is known counts no longer, or is stale and somebody watches. Asks only if somebody does.</summary>
    private void Arm()
    {
        var due = IsEnded || Holds ? Timeout.InfiniteTimeSpan
            : _watchers.Count > 0 && !_cannotAsk ? Remaining(Stale, NextLook)
            : _sight.Leader is not null ? Remaining(_sight.Lasts + Grace, LeaseDuration)
            : _watchers.Count > 0 ? Remaining(LeaseDuration, LeaseDuration)
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

        TimeSpan Remaining(TimeSpan lasts, TimeSpan again)
        {
            var left = lasts - Time.GetElapsedTime(_sight.At) + TimeSpan.FromMilliseconds(1);
            return left > TimeSpan.Zero ? left : again;
        }
    }

    private void LookAgain()
    {
        lock (Gate)
        {
            if (IsEnded || Holds)
            {
                return;
            }

            var age = Time.GetElapsedTime(_sight.At);
            if (_watchers.Count > 0 && age < _sight.Lasts + Grace)
            {
                if (age >= Stale && _questions.MayLook())
                {
                    TryAsk();
                }
            }
            else if (age >= _sight.Lasts && (_watchers.Count == 0 || !TryAsk()))
            {
                Know(null, LeaseDuration);
                Publish(LeadershipChangeCause.LeaderGone);
            }

            Arm();
        }
    }

    /// <returns>Whether a question is on its way.</returns>
    private bool TryAsk()
    {
        if (_isAsking)
        {
            return true;
        }

        if (IsEnded || Holds || _cannotAsk || !_questions.MayAsk(LockName))
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
            await GetLeaderAsync(_ending.Token).ConfigureAwait(false);
            isKnown = true;
        }
        catch (NotSupportedException)
        {
            // The store has no administration, and will have none: what it says when it refuses the lock is all that is to be learned.
            _cannotAsk = true;
        }
        catch (Exception)
        {
            // The store is away, which the lock tells of, or everything ends. Nobody can say who leads until it is back.
        }

        lock (Gate)
        {
            _isAsking = false;
            if (!isKnown && !IsEnded && !Holds && Time.GetElapsedTime(_sight.At) > _sight.Lasts)
            {
                Know(null, LeaseDuration);
                Publish(LeadershipChangeCause.LeaderGone);
            }

            Arm();
        }
    }

    /// <remarks>Nobody leads in the rest of LockAtLeastFor.</remarks>
    private static LeaderInfo? ToLeader(LockHolder? holder) =>
        holder is null or { IsReleased: true } ? null : Describe(holder);

    private static LeaderInfo Describe(LockHolder holder) => new() { NodeId = holder.Owner.NodeId, FencingToken = holder.FencingToken, Since = holder.Since };
}
