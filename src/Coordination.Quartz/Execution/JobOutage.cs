using Coordination.Quartz.Telemetry;
using Coordination.Stores;
using Coordination.Telemetry;
using Microsoft.Extensions.Logging;

namespace Coordination.Quartz.Execution;

/// <summary>Says once for each outage of the store, and not for each fire, what becomes of the fires that come meanwhile. One for each node.</summary>
/// <remarks>
/// An outage lasts as long as any shard of the store is away that a fire has asked. One that no fire asks any more does not keep it going where nothing is the matter with
/// the store, as far as this node knows.
/// </remarks>
internal sealed class JobOutage(ILockStore store, StoreCondition condition, ILogger logger)
{
    private readonly Lock _gate = new();
    private readonly HashSet<int> _away = [];
    private volatile bool _isOn;
    private int _fires;

    /// <summary>A fire met the outage.</summary>
    public void Meet(ExclusiveRun run, LockStoreException error)
    {
        lock (_gate)
        {
            if (!run.HasMetOutage)
            {
                run.HasMetOutage = true;
                _fires++;
            }

            _away.Add(store.ShardOf(run.Policy.LockName));
            if (_isOn)
            {
                return;
            }

            _isOn = true;
        }

        logger.StoreUnavailable(run.Context.JobDetail.Key, error.Message);
    }

    /// <summary>The store replied to a fire.</summary>
    public void End(ExclusiveRun run)
    {
        if (!_isOn)
        {
            return;
        }

        int fires;
        lock (_gate)
        {
            _away.Remove(store.ShardOf(run.Policy.LockName));
            if (!_isOn || (_away.Count > 0 && condition.Trouble is not null))
            {
                return;
            }

            _away.Clear();
            _isOn = false;
            (fires, _fires) = (_fires, 0);
        }

        logger.StoreIsBack(fires);
    }
}
