using Coordination.Hosting.Execution;
using Coordination.Hosting.Periodic;
using Microsoft.Extensions.Logging;

namespace Coordination.Hosting.Telemetry;

/// <summary>What an operator reads of the runs of one periodic service.</summary>
internal sealed class PeriodicLog(ILogger logger, PeriodicService service)
{
    private DateTimeOffset? _lastAhead;

    public void RunBegins(ILockLease lease, DateTimeOffset? scheduledFor, bool isRecovery) =>
        logger.PeriodicRunBegins(service.Name, service.LockName, lease.FencingToken, scheduledFor, isRecovery);

    /// <param name="lease">Its lease.</param>
    /// <param name="scheduledFor">The start of its slot; null for a run by hand.</param>
    /// <param name="result">How it ended.</param>
    /// <param name="release">How the release of its lease did; null where it was released unfinished.</param>
    /// <param name="duration">How long it took.</param>
    public void RunEnded(ILockLease lease, DateTimeOffset? scheduledFor, WorkResult result, ReleaseResult? release, TimeSpan duration)
    {
        var token = lease.FencingToken;
        switch (result.End)
        {
            case WorkEnd.Failed:
                logger.PeriodicRunFailed(result.Failure, service.Name, service.LockName, token, duration);
                break;
            case WorkEnd.Lost:
                logger.PeriodicRunLost(service.Name, service.LockName, token, duration, lease.LossReason);
                break;
            default:
                logger.PeriodicRunEnded(service.Name, service.LockName, token, duration, result.End);
                break;
        }

        if (scheduledFor is not { } slot)
        {
            return;
        }

        if (result.End is WorkEnd.Lost or WorkEnd.Stopped)
        {
            if (!service.Options.RecoverInterrupted)
            {
                logger.PeriodicRunOverAndUnfinished(service.Name, slot, service.LockName, token, result.End);
            }
        }
        else if (release != ReleaseResult.Released)
        {
            logger.PeriodicReleaseUnconfirmed(service.Name, slot, service.LockName, token, release);
        }
    }

    public void Refused(Exception refusal) => logger.PeriodicRefused(service.Name, service.LockName, refusal.Message);

    public void LoopFailed(Exception exception) => logger.PeriodicLoopFailed(exception, service.Name, service.LockName);

    /// <summary>Says once of each remembered slot that it is ahead. For one caller at a time.</summary>
    public void RememberedSlotIsAhead(DateTimeOffset slot, DateTimeOffset remembered, string nodeId)
    {
        if (remembered != _lastAhead)
        {
            _lastAhead = remembered;
            logger.PeriodicSlotIsAhead(service.Name, slot, nodeId, remembered, service.LockName, service.Series);
        }
    }
}
