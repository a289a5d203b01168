using System.Runtime.CompilerServices;
using System.Threading.Channels;
using Coordination.Hosting.Stores;
using Coordination.Stores;

namespace Coordination.Hosting.Leadership;

/// <summary>What a node knows of the leadership of one service: written by the service's runner, read by everybody.</summary>
internal class ServiceLeadership(string lockName, string nodeId, ILockStoreAdministration store, TimeProvider time) : ILeadership
{
    private const int WatcherCapacity = 16;

    private readonly Lock _gate = new();
    private readonly List<ChannelWriter<LeadershipChange>> _watchers = [];
    private ServicePhase _phase;
    private ILockLease? _lease;
    private LeaderInfo? _leader;
    private LeadershipChange _published = new() { LockName = lockName, IsLeader = false };
    private bool _ended;

    public string LockName => lockName;

    public bool IsLeader => Status.Leadership.IsLeader;

    public LeaderInfo? Leader => Status.Leadership.Leader;

    public ServiceStatus Status
    {
        get
        {
            lock (_gate)
            {
                return new ServiceStatus(_phase, _lease?.State, Look());
            }
        }
    }

    public async IAsyncEnumerable<LeadershipChange> WatchAsync([EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        var channel = Channel.CreateBounded<LeadershipChange>(
            new BoundedChannelOptions(WatcherCapacity) { FullMode = BoundedChannelFullMode.DropOldest, SingleReader = true });
        lock (_gate)
        {
            Publish();
            channel.Writer.TryWrite(_published);
            if (_ended)
            {
                channel.Writer.Complete();
            }
            else
            {
                _watchers.Add(channel.Writer);
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
            lock (_gate)
            {
                _watchers.Remove(channel.Writer);
            }
        }
    }

    public async ValueTask<LeaderInfo?> GetLeaderAsync(CancellationToken cancellationToken = default)
    {
        LockHolder? holder = null;
        await StoreTimeLimit.ApplyAsync(
            StoreTimeLimit.Default,
            async limited => holder = await store.GetHolderAsync(lockName, limited).ConfigureAwait(false),
            time,
            cancellationToken).ConfigureAwait(false);

        // Nobody leads in the rest of LockAtLeastFor.
        return holder is null or { IsReleased: true } ? null : new LeaderInfo { NodeId = holder.Owner.NodeId, FencingToken = holder.FencingToken, Since = holder.Since };
    }

    /// <summary>A term of this node begins.</summary>
    public void Lead(ILockLease lease)
    {
        lock (_gate)
        {
            _phase = ServicePhase.Leader;
            _lease = lease;
            _leader = new LeaderInfo { NodeId = lease.Owner.NodeId, FencingToken = lease.FencingToken, Since = time.GetUtcNow() };
            Publish();
        }
    }

    /// <summary>This node does not lead, or not any more.</summary>
    public void Enter(ServicePhase phase)
    {
        lock (_gate)
        {
            _phase = phase;
            if (_lease is not null)
            {
                _lease = null;
                _leader = null;
            }

            Publish();
        }
    }

    /// <summary>The store was asked who leads.</summary>
    /// <returns>Whether another node does, and this one did not know.</returns>
    public bool Saw(LeaderInfo? leader)
    {
        // By what this node saw of itself it does not lead: the grant is on its way here, or was lost.
        var other = leader?.NodeId == nodeId ? null : leader;
        lock (_gate)
        {
            var isNews = _lease is null && other != _leader;
            if (isNews)
            {
                _leader = other;
                Publish();
            }

            return isNews && other is not null;
        }
    }

    /// <summary>The service has stopped, and every watch ends with that.</summary>
    public void End()
    {
        lock (_gate)
        {
            _ended = true;
            Enter(ServicePhase.Stopped);
            _watchers.ForEach(static watcher => watcher.TryComplete());
            _watchers.Clear();
        }
    }

    private LeadershipChange Look()
    {
        // The lease knows of its loss before its callbacks have run.
        var isLeader = _lease?.State is LeaseState.Held or LeaseState.InDoubt;
        return new LeadershipChange { LockName = lockName, IsLeader = isLeader, Leader = _lease is null || isLeader ? _leader : null };
    }

    private void Publish()
    {
        var change = Look();
        if (change != _published)
        {
            _published = change;
            _watchers.ForEach(watcher => watcher.TryWrite(change));
        }
    }
}
