using Coordination.Hosting.Telemetry;
using Coordination.Waiting;

namespace Coordination.Hosting.Leadership;

/// <summary>Passes on who leads while this node does not: what the store says each time that it refuses the lock. Makes no call.</summary>
internal sealed class LeaderObserver(ServiceLeadership leadership, KnownHolders holders, ServiceLog log)
{
    private IDisposable? _subscription;
    private volatile LeaderInfo? _seen;

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

    /// <summary>Makes the leader that is seen next worth a line of the log, although it may be the one that was seen last.</summary>
    public void Forget() => _seen = null;

    private void See(LockHolder holder)
    {
        if (leadership.Saw(holder) is { } leader && leader != _seen)
        {
            _seen = leader;
            log.SeesLeader(leader);
        }
    }
}
