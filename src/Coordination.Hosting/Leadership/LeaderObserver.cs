using Coordination.Hosting.Telemetry;
using Coordination.Waiting;

namespace Coordination.Hosting.Leadership;

/// <summary>Passes on who leads while this node does not: what the store says each time that it refuses the lock. Makes no call.</summary>
internal sealed class LeaderObserver(ServiceLeadership leadership, int instances, KnownHolders holders, ServiceLog log)
{
    private readonly Lock _gate = new();

    /// <summary>The terms that were seen last, as many as there may be at a time: the one that was seen last comes last.</summary>
    private readonly List<long> _seen = [];
    private IDisposable? _subscription;

    /// <summary>Begins to look; does nothing when it does already.</summary>
    public void Start(CancellationToken stop)
    {
        if (!stop.IsCancellationRequested)
        {
            _subscription ??= holders.Subscribe(leadership.LockName, See);
        }
    }

    /// <summary>Ends the looking.</summary>
    public Task StopAsync()
    {
        _subscription?.Dispose();
        _subscription = null;
        return Task.CompletedTask;
    }

    /// <summary>Makes the leaders that are seen next worth a line of the log, although they may be those that were seen last.</summary>
    public void Forget()
    {
        lock (_gate)
        {
            _seen.Clear();
        }
    }

    private void See(LockHolder holder)
    {
        if (leadership.Refused(holder) is { } leader && IsNew(leader))
        {
            log.SeesLeader(leader);
        }
    }

    private bool IsNew(LeaderInfo leader)
    {
        lock (_gate)
        {
            var isNew = !_seen.Remove(leader.FencingToken);
            _seen.Add(leader.FencingToken);
            if (_seen.Count > instances)
            {
                _seen.RemoveAt(0);
            }

            return isNew;
        }
    }
}
