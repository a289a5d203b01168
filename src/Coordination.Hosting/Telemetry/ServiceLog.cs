using Coordination.Hosting.Execution;
using Coordination.Hosting.Leadership;
using Coordination.Hosting.Terms;
using Microsoft.Extensions.Logging;

namespace Coordination.Hosting.Telemetry;

/// <summary>What an operator reads of one service: a line per change of state.</summary>
/// <param name="logger">The log.</param>
/// <param name="service">What it calls the service.</param>
/// <param name="lockName">The lock.</param>
/// <param name="lossLevel">How much a loss is worth: little where it is one of many of which something else tells in sum.</param>
internal sealed class ServiceLog(ILogger logger, string service, string lockName, LogLevel lossLevel = LogLevel.Warning)
{
    public void StandsBy() => logger.StandsBy(service, lockName);

    public void SeesLeader(LeaderInfo leader) => logger.SeesLeader(service, lockName, leader.NodeId, leader.FencingToken, leader.Since);

    /// <param name="lease">The lease of the term.</param>
    /// <param name="before">Whom it follows; null where this node knows of none.</param>
    public void Leads(ILockLease lease, Predecessor? before)
    {
        logger.Leads(service, lockName, lease.Permit ?? 0, lease.FencingToken, lease.Owner.NodeId);
        if (before is not null)
        {
            logger.Follows(service, lockName, before.Leader.NodeId, before.Leader.FencingToken, before.Describe());
        }
    }

    public void Ended(ILockLease lease, TermOutcome outcome, ReleaseResult release, Exception? failure)
    {
        if (outcome.End == WorkEnd.Failed)
        {
            logger.Failed(failure, service, lockName, lease.FencingToken, outcome.Duration, release);
        }
        else if (failure is not null)
        {
            // Work that is told to stop mostly says so with an exception of what it was in the middle of. After a loss it may be the first sign of trouble.
            var (level, shown) = outcome.End == WorkEnd.Lost ? (LogLevel.Warning, failure) : (LogLevel.Information, null);
            var type = failure.GetType().Name;
            logger.EndedByException(level, shown, service, type, lockName, lease.FencingToken, outcome.Duration, outcome.End, release);
        }
        else
        {
            logger.Ended(service, lockName, lease.FencingToken, outcome.Duration, outcome.End, release);
        }
    }

    public void Completed() => logger.Completed(service, lockName);

    public void Lost(ILockLease lease) => logger.Lost(lossLevel, service, lockName, lease.FencingToken, lease.LossReason);

    public void Overdue(ILockLease lease, TimeSpan since) => logger.Overdue(service, lockName, lease.FencingToken, since);

    public void StopsHost(ILockLease lease) => logger.StopsHost(service, lockName, lease.FencingToken);

    public void Declined(ILockLease lease, ReleaseResult release) => logger.Declined(service, lockName, lease.FencingToken, release);

    /// <param name="instances">How many leaders this node is to have at a time.</param>
    /// <param name="inUseAs">What others use the lock as.</param>
    public void Defers(int instances, LockCapacity inUseAs) => logger.Defers(service, instances, lockName, inUseAs);

    public void Refused(string refusal) => logger.Refused(service, lockName, refusal);

    /// <param name="holdsLock">Whether it is the work of a term that runs; else it is what comes before or after one.</param>
    /// <param name="respite">How long a disposed host waits at most.</param>
    public void StillRunning(bool holdsLock, TimeSpan respite)
    {
        if (holdsLock)
        {
            logger.StillRunning(service, lockName, respite);
        }
        else
        {
            logger.StillRunsWithoutLock(service, lockName);
        }
    }

    /// <param name="holdsLock">Whether it is the work of a term that runs; else nothing is given up.</param>
    public void GivesUp(bool holdsLock)
    {
        if (holdsLock)
        {
            logger.GivesUp(service, lockName);
        }
    }

    public void EndsProcess(ILockLease lease, int exitCode) => logger.EndsProcess(service, lockName, lease.FencingToken, exitCode);

    public void StopsHostAfter(int failures) => logger.StopsHostAfter(service, lockName, failures);

    public void ScopeFailed(Exception exception) => logger.ScopeFailed(exception, service, lockName);

    /// <param name="reason">Why not.</param>
    public void MayNotLead(string reason) => logger.MayNotLead(service, lockName, reason);

    /// <param name="preferred">The node that waits.</param>
    /// <param name="lease">The lease of the term.</param>
    public void MakesWay(LockWaiter preferred, ILease lease) => logger.MakesWay(service, preferred.Owner.NodeId, preferred.Rank, lockName, lease.FencingToken);

    /// <param name="time">For how long.</param>
    public void Abstains(TimeSpan time) => logger.Abstains(service, lockName, time);

    public void AbstainsNoMore() => logger.AbstainsNoMore(service, lockName);

    /// <param name="refusal">Why not.</param>
    public void CannotSeeQueue(string refusal) => logger.CannotSeeQueue(service, lockName, refusal);

    /// <param name="successor">The node that is to lead next.</param>
    /// <param name="lease">The lease of the term.</param>
    public void PassesTo(string successor, ILease lease) => logger.PassesTo(service, lockName, lease.FencingToken, successor);

    public void Prepares() => logger.Prepares(service, lockName);

    public void PreparationFailed(Exception exception, TimeSpan duration) => logger.PreparationFailed(exception, service, lockName, duration);

    public void PreparedFailed(Exception exception) => logger.PreparedFailed(exception, service, lockName);

    /// <param name="exception">What it threw.</param>
    /// <param name="hook">The method of the service.</param>
    /// <param name="lease">The lease of the term.</param>
    public void HookFailed(Exception exception, string hook, ILease lease) => logger.HookFailed(exception, service, hook, lockName, lease.FencingToken);

    public void StopCallbackFailed(Exception exception) => logger.StopCallbackFailed(exception, service, lockName);
}
