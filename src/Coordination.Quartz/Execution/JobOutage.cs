using Coordination.Quartz.Telemetry;
using Coordination.Telemetry;
using Microsoft.Extensions.Logging;

namespace Coordination.Quartz.Execution;

/// <summary>Says once for each outage of the store, and not for each fire, what becomes of the fires that come meanwhile. One for each node.</summary>
internal sealed class JobOutage(TelemetryDispatcher telemetry, ILogger<JobOutage> logger)
{
    private readonly ILogger _logger = telemetry.Wrap(logger);
    private int _isOn;
    private int _fires;

    /// <summary>A fire met the outage.</summary>
    public void Meet(ExclusiveRun run, LockStoreException error)
    {
        if (!run.HasMetOutage)
        {
            run.HasMetOutage = true;
            Interlocked.Increment(ref _fires);
        }

        if (Interlocked.Exchange(ref _isOn, 1) == 0)
        {
            _logger.StoreUnavailable(run.Context.JobDetail.Key, error.Message);
        }
    }

    /// <summary>The store replied to a fire.</summary>
    public void End()
    {
        if (Volatile.Read(ref _isOn) == 1 && Interlocked.Exchange(ref _isOn, 0) == 1)
        {
            _logger.StoreIsBack(Interlocked.Exchange(ref _fires, 0));
        }
    }
}
