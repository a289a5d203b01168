using Coordination.Quartz.Policies;
using Coordination.Quartz.Telemetry;
using Microsoft.Extensions.Logging;
using Quartz;

namespace Coordination.Quartz.Execution;

/// <summary>
/// Says that others use a lock with another capacity than a job here, as during a rolling update that changes its limit: once for each change, and not for each fire or each time
/// that one asks. One for each node.
/// </summary>
internal sealed class CapacityConflicts(ILogger logger)
{
    /// <summary>How many locks are kept: names may be made of data. Where there are more, a conflict may be told again.</summary>
    private const int Capacity = 1_000;

    private readonly Lock _gate = new();
    private readonly Dictionary<(string LockName, LockShare? Wanted), LockCapacity> _inUseAs = [];

    /// <summary>A fire was refused because others use its lock with another capacity.</summary>
    public void Meet(JobKey job, ExclusivePolicy policy, LockCapacity inUseAs)
    {
        lock (_gate)
        {
            var key = (policy.LockName, policy.Share);
            if (_inUseAs.GetValueOrDefault(key) == inUseAs)
            {
                return;
            }

            if (_inUseAs.Count >= Capacity)
            {
                _inUseAs.Clear();
            }

            _inUseAs[key] = inUseAs;
        }

        logger.InUseAsOther(job, policy.LockName, policy.Capacity, inUseAs);
    }

    /// <summary>A fire was not refused for that.</summary>
    public void End(JobKey job, ExclusivePolicy policy)
    {
        LockCapacity? inUseAs;
        lock (_gate)
        {
            if (!_inUseAs.Remove((policy.LockName, policy.Share), out inUseAs))
            {
                return;
            }
        }

        logger.InUseAsWanted(job, policy.LockName, policy.Capacity, inUseAs);
    }
}
