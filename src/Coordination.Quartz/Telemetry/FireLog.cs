using Coordination.Quartz.Execution;
using Microsoft.Extensions.Logging;
using Quartz;

namespace Coordination.Quartz.Telemetry;

/// <summary>What the log tells of fires that are over: 1300 to 1306, 1315 to 1319, 1320 to 1329, 1336 and 1337.</summary>
internal static partial class FireLog
{
    /// <summary>By how much a remembered fire time may lie in the future, as with clocks that differ.</summary>
    private static readonly TimeSpan ToleratedLead = TimeSpan.FromMinutes(1);

    /// <summary>Reports a fire that is over.</summary>
    public static void Report(this ILogger logger, ExclusiveRun run, FireOutcome outcome)
    {
        var (job, time) = (run.Context.JobDetail.Key, run.Context.ScheduledFireTimeUtc ?? run.Context.FireTimeUtc);
        switch (outcome)
        {
            case FireOutcome.Ran:
                logger.Ran(job, time, run.Context.JobRunTime, run.FencingToken);
                break;
            case FireOutcome.Recovered:
                logger.Recovered(job, time, run.Elsewhere?.NodeId, run.Context.JobRunTime, run.FencingToken);
                break;
            case FireOutcome.Cancelled or FireOutcome.Failed:
                logger.ReportUnfinished(run, outcome == FireOutcome.Cancelled ? "was cancelled" : "failed", job, time);
                break;
            case FireOutcome.SkippedAsHeld when run.Context.NextFireTimeUtc is null:
                logger.Dropped(job, time, run.Policy.LockName, run.Elsewhere?.NodeId);
                break;
            case FireOutcome.SkippedAsHeld:
                logger.SkippedAsHeld(job, time, run.Policy.LockName, run.Elsewhere?.NodeId);
                break;
            case FireOutcome.SkippedAsWaiting:
                logger.SkippedAsWaiting(job, time, run.Policy.LockName);
                break;
            case FireOutcome.SkippedAtStop when run.IsLeftForAnother:
                logger.LeftInStore(job, time, run.Policy.LockName);
                break;
            case FireOutcome.SkippedAtStop:
                logger.ReportStopped(run, job, time);
                break;
            case FireOutcome.SkippedAsWithdrawn:
                logger.Withdrawn(job, time, run.Context.Trigger.Key, run.Policy.LockName);
                break;
            case FireOutcome.SkippedAsRun when run.Elsewhere?.Time is { } last && run.Fire is { } fire && last - run.Context.FireTimeUtc > ToleratedLead:
                logger.RememberedTimeIsAhead(job, time, last, run.Elsewhere.NodeId, run.Policy.LockName, fire.Series);
                break;
            case FireOutcome.SkippedAsRun when run.Context.RefireCount > 0 || run.Context.RetryAttempt > 0:
                logger.NotTriedAgain(job, time, run.Elsewhere?.NodeId);
                break;
            case FireOutcome.SkippedAsRun:
                logger.SkippedAsRun(job, time, run.Elsewhere?.NodeId);
                break;
            case FireOutcome.SkippedAsUnavailable when run.Context.NextFireTimeUtc is null:
                logger.DroppedAsUnavailable(job, time, run.Policy.LockName);
                break;
            case FireOutcome.SkippedAsUnavailable:
                logger.SkippedAsUnavailable(job, time);
                break;
            case FireOutcome.RanUnprotected:
                logger.RanUnprotected(job, time);
                break;
            case FireOutcome.Lost:
                logger.Lost(job, time, run.Policy.LockName, run.FencingToken);
                break;
            default:
                throw new ArgumentOutOfRangeException(nameof(outcome), outcome, "An unknown outcome of a fire.");
        }
    }

    /// <summary>A warning only where nobody else runs it, as far as anybody can know.</summary>
    private static void ReportStopped(this ILogger logger, ExclusiveRun run, JobKey job, DateTimeOffset time)
    {
        switch (run.OnOtherNodes)
        {
            case { NodeId: { } node, IsBegun: true }:
                logger.StoppedWhileBegun(job, time, run.Policy.LockName, node);
                break;
            case { NodeId: { } node }:
                logger.StoppedWhileAwaited(job, time, run.Policy.LockName, node);
                break;
            case { IsKnown: false }:
                logger.StoppedUnknowing(job, time, run.Policy.LockName);
                break;
            default:
                logger.SkippedAtStop(job, time, run.Policy.LockName);
                break;
        }
    }

    private static void ReportUnfinished(this ILogger logger, ExclusiveRun run, string ending, JobKey job, DateTimeOffset time)
    {
        if (run is { IsLeftForAnother: true, Policy.Share: not null })
        {
            logger.LeftForAnotherBeside(job, ending, time, run.Context.JobRunTime, run.FencingToken);
        }
        else if (run.IsLeftForAnother)
        {
            logger.LeftForAnother(job, ending, time, run.Context.JobRunTime, run.FencingToken);
        }
        else if (!run.Context.RetryScheduled && (run.Fire is not null || run.Context.NextFireTimeUtc is null))
        {
            logger.OverAndUnfinished(job, ending, time, run.Context.JobRunTime, run.FencingToken);
        }
        else
        {
            logger.Unfinished(job, ending, time, run.Context.JobRunTime, run.FencingToken);
        }
    }

    [LoggerMessage(1300, LogLevel.Information, "{Job} ran here for its fire time {FireTime:O}, in {Duration}, token {FencingToken}.")]
    private static partial void Ran(this ILogger logger, JobKey job, DateTimeOffset fireTime, TimeSpan duration, long? fencingToken);

    [LoggerMessage(1301, LogLevel.Warning, "{Job} was recovered here for its fire time {FireTime:O}, which node {NodeId} did not finish, in {Duration}, token {FencingToken}.")]
    private static partial void Recovered(this ILogger logger, JobKey job, DateTimeOffset fireTime, string? nodeId, TimeSpan duration, long? fencingToken);

    [LoggerMessage(1302, LogLevel.Information, "{Job} was skipped here for its fire time {FireTime:O}: its lock '{LockName}' is not free. Holder: {NodeId}.")]
    private static partial void SkippedAsHeld(this ILogger logger, JobKey job, DateTimeOffset fireTime, string lockName, string? nodeId);

    [LoggerMessage(1303, LogLevel.Debug, "{Job} was skipped here for its fire time {FireTime:O}: node {NodeId} has run it.")]
    private static partial void SkippedAsRun(this ILogger logger, JobKey job, DateTimeOffset fireTime, string? nodeId);

    [LoggerMessage(1304, LogLevel.Debug, "{Job} was skipped here for its fire time {FireTime:O}: the lock store does not reply.")]
    private static partial void SkippedAsUnavailable(this ILogger logger, JobKey job, DateTimeOffset fireTime);

    [LoggerMessage(1305, LogLevel.Debug, "{Job} ran here for its fire time {FireTime:O} without a lease, because the lock store does not reply. Other nodes may have run it too.")]
    private static partial void RanUnprotected(this ILogger logger, JobKey job, DateTimeOffset fireTime);

    [LoggerMessage(1306, LogLevel.Error, "{Job} lost its lease of the lock '{LockName}', token {FencingToken}, while it ran for its fire time {FireTime:O}. It was interrupted.")]
    private static partial void Lost(this ILogger logger, JobKey job, DateTimeOffset fireTime, string lockName, long? fencingToken);

    [LoggerMessage(1315, LogLevel.Information, "{Job} was not run here for its fire time {FireTime:O}: the scheduler shuts down, and it waited for the lock '{LockName}'. Node {NodeId} runs it, or has run it.")]
    private static partial void StoppedWhileBegun(this ILogger logger, JobKey job, DateTimeOffset fireTime, string lockName, string nodeId);

    [LoggerMessage(1316, LogLevel.Information, "{Job} was not run here for its fire time {FireTime:O}: the scheduler shuts down, and it waited for the lock '{LockName}'. Node {NodeId} waits for that lock as well.")]
    private static partial void StoppedWhileAwaited(this ILogger logger, JobKey job, DateTimeOffset fireTime, string lockName, string nodeId);

    [LoggerMessage(1317, LogLevel.Information, "{Job} was not run here for its fire time {FireTime:O}: the scheduler shuts down, and it waited for the lock '{LockName}'. The lock store does not say whether another node runs it.")]
    private static partial void StoppedUnknowing(this ILogger logger, JobKey job, DateTimeOffset fireTime, string lockName);

    [LoggerMessage(1318, LogLevel.Information, "{Job} was not run here for its fire time {FireTime:O}: its trigger {Trigger} was deleted while it waited for the lock '{LockName}'.")]
    private static partial void Withdrawn(this ILogger logger, JobKey job, DateTimeOffset fireTime, TriggerKey trigger, string lockName);

    [LoggerMessage(1320, LogLevel.Warning, "{Job} was dropped for its fire time {FireTime:O}: its lock '{LockName}' is not free, and the fire does not wait, or has waited for its MaxWait. No later fire of its series follows. Holder: {NodeId}.")]
    private static partial void Dropped(this ILogger logger, JobKey job, DateTimeOffset fireTime, string lockName, string? nodeId);

    [LoggerMessage(1329, LogLevel.Warning, "{Job} was dropped for its fire time {FireTime:O}: the store of its lock '{LockName}' does not reply, and the fire does not wait for it, or has waited for its MaxWait. No later fire of its series follows.")]
    private static partial void DroppedAsUnavailable(this ILogger logger, JobKey job, DateTimeOffset fireTime, string lockName);

    [LoggerMessage(1321, LogLevel.Information, "{Job} was skipped here for its fire time {FireTime:O}: another fire of its trigger waits here for the lock '{LockName}'.")]
    private static partial void SkippedAsWaiting(this ILogger logger, JobKey job, DateTimeOffset fireTime, string lockName);

    [LoggerMessage(1322, LogLevel.Warning, "{Job} was skipped here for its fire time {FireTime:O}: the scheduler shuts down, and it waited for the lock '{LockName}'. No other node is known to run it: where the work is to be done all the same, trigger the job on another node, by IScheduler.TriggerJob(…), which runs it once, now.")]
    private static partial void SkippedAtStop(this ILogger logger, JobKey job, DateTimeOffset fireTime, string lockName);

    [LoggerMessage(1327, LogLevel.Information, "{Job} was not run here for its fire time {FireTime:O}: the scheduler shuts down, and it waited for the lock '{LockName}'. It is left in the job store, and fires on the next node.")]
    private static partial void LeftInStore(this ILogger logger, JobKey job, DateTimeOffset fireTime, string lockName);

    [LoggerMessage(1323, LogLevel.Warning, "{Job} was skipped here for its fire time {FireTime:O}, for node {NodeId} has run the later fire time {LastFireTime:O}: a clock was ahead, there or here is behind, and fires are skipped until that time has passed. Set the clocks right, and to go on with the next fire forget that time: ILockInspector.ForgetOccurrenceAsync(\"{LockName}\", \"{Series}\").")]
    private static partial void RememberedTimeIsAhead(this ILogger logger, JobKey job, DateTimeOffset fireTime, DateTimeOffset lastFireTime, string? nodeId, string lockName, string series);

    [LoggerMessage(1324, LogLevel.Warning, "{Job} {Ending} in its run for the fire time {FireTime:O}, after {Duration}, token {FencingToken}. It was not finished, and no node runs it again: where the work is to be done all the same, trigger the job by IScheduler.TriggerJob(…), which runs it once, now.")]
    private static partial void OverAndUnfinished(this ILogger logger, JobKey job, string ending, DateTimeOffset fireTime, TimeSpan duration, long? fencingToken);

    [LoggerMessage(1325, LogLevel.Information, "{Job} {Ending} in its run for the fire time {FireTime:O}, after {Duration}, token {FencingToken}.")]
    private static partial void Unfinished(this ILogger logger, JobKey job, string ending, DateTimeOffset fireTime, TimeSpan duration, long? fencingToken);

    [LoggerMessage(1326, LogLevel.Information, "{Job} {Ending} in its run for the fire time {FireTime:O}, after {Duration}, token {FencingToken}, because this node stops. It is left for another node to recover.")]
    private static partial void LeftForAnother(this ILogger logger, JobKey job, string ending, DateTimeOffset fireTime, TimeSpan duration, long? fencingToken);

    [LoggerMessage(1336, LogLevel.Information, "{Job} {Ending} in its run for the fire time {FireTime:O}, after {Duration}, token {FencingToken}, because this node stops. It is left for another node to recover, unless a later fire of its trigger has begun beside it: then no node runs it again.")]
    private static partial void LeftForAnotherBeside(this ILogger logger, JobKey job, string ending, DateTimeOffset fireTime, TimeSpan duration, long? fencingToken);

    [LoggerMessage(1337, LogLevel.Warning, "{Job} is not tried again for its fire time {FireTime:O}: another run of it has begun, or a later one of its series, last on node {NodeId}. Where the work is to be done all the same, trigger the job by IScheduler.TriggerJob(…), which runs it once, now.")]
    private static partial void NotTriedAgain(this ILogger logger, JobKey job, DateTimeOffset fireTime, string? nodeId);

    [LoggerMessage(1328, LogLevel.Warning, "A fire of the job {Job} that waited when its scheduler shut down could not be left in the job store.")]
    public static partial void NotLeftInStore(this ILogger logger, Exception exception, JobKey job);
}
