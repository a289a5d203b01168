using Coordination.Hosting.Services;
using Coordination.Hosting.Terms;
using Microsoft.Extensions.Logging;

namespace Coordination.Hosting.Telemetry;

/// <summary>What an operator reads of one service: a line per change of state.</summary>
internal sealed class ServiceLog(ILogger logger, ExclusiveService service)
{
    private readonly string _service = service.Registration.Key.DisplayName;
    private readonly string _lock = service.Lock.Name;

    public void StandsBy() => logger.StandsBy(_service, _lock);

    public void SeesLeader(LeaderInfo leader) => logger.SeesLeader(_service, _lock, leader.NodeId, leader.FencingToken, leader.Since);

    public void Leads(ILockLease lease)
    {
        logger.Leads(_service, _lock, lease.FencingToken, lease.Owner.NodeId);
        if (service.Leadership.Predecessor is { } before)
        {
            logger.Follows(_service, _lock, before.Leader.NodeId, before.Leader.FencingToken, before.Describe());
        }
    }

    public void Ended(ILockLease lease, TermOutcome outcome, ReleaseResult release, Exception? failure)
    {
        if (outcome.End == TermEnd.Failed)
        {
            logger.Failed(failure, _service, _lock, lease.FencingToken, outcome.Duration, release);
        }
        else if (failure is not null)
        {
            // Work that is told to stop mostly says so with an exception of what it was in the middle of. After a loss it may be the first sign of trouble.
            var (level, shown) = outcome.End == TermEnd.Lost ? (LogLevel.Warning, failure) : (LogLevel.Information, null);
            var type = failure.GetType().Name;
            logger.EndedByException(level, shown, _service, type, _lock, lease.FencingToken, outcome.Duration, outcome.End, release);
        }
        else
        {
            logger.Ended(_service, _lock, lease.FencingToken, outcome.Duration, outcome.End, release);
        }
    }

    public void Completed() => logger.Completed(_service, _lock);

    public void Lost(ILockLease lease) => logger.Lost(_service, _lock, lease.FencingToken, lease.LossReason);

    public void Overdue(ILockLease lease, TimeSpan since) => logger.Overdue(_service, _lock, lease.FencingToken, since);

    public void StopsHost(ILockLease lease) => logger.StopsHost(_service, _lock, lease.FencingToken);

    public void Declined(ILockLease lease, ReleaseResult release) => logger.Declined(_service, _lock, lease.FencingToken, release);

    public void Refused(string refusal) => logger.Refused(_service, _lock, refusal);

    public void StillRunning(TimeSpan respite) => logger.StillRunning(_service, _lock, respite);

    public void GivesUp() => logger.GivesUp(_service, _lock);

    public void EndsProcess(ILockLease lease, int exitCode) => logger.EndsProcess(_service, _lock, lease.FencingToken, exitCode);

    public void StopsHostAfter(int failures) => logger.StopsHostAfter(_service, _lock, failures);

    public void ScopeFailed(Exception exception) => logger.ScopeFailed(exception, _service, _lock);

    public void StopCallbackFailed(Exception exception) => logger.StopCallbackFailed(exception, _service, _lock);
}
