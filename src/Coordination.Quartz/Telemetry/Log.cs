using Coordination.Quartz.Execution;
using Microsoft.Extensions.Logging;
using Quartz;

namespace Coordination.Quartz.Telemetry;

/// <summary>The log messages of exclusive jobs: 1300 to 1399.</summary>
internal static partial class Log
{
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
                logger.Recovered(job, time, run.Elsewhere, run.Context.JobRunTime, run.FencingToken);
                break;
            case FireOutcome.SkippedAsHeld:
                logger.SkippedAsHeld(job, time, run.Policy.LockName, run.Elsewhere);
                break;
            case FireOutcome.SkippedAsRun:
                logger.SkippedAsRun(job, time, run.Elsewhere);
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

    [LoggerMessage(1300, LogLevel.Information, "{Job} ran here for its fire time {FireTime:O}, in {Duration}, token {FencingToken}.")]
    private static partial void Ran(this ILogger logger, JobKey job, DateTimeOffset fireTime, TimeSpan duration, long? fencingToken);

    [LoggerMessage(1301, LogLevel.Warning, "{Job} was recovered here for its fire time {FireTime:O}, which node {NodeId} did not finish, in {Duration}, token {FencingToken}.")]
    private static partial void Recovered(this ILogger logger, JobKey job, DateTimeOffset fireTime, string? nodeId, TimeSpan duration, long? fencingToken);

    [LoggerMessage(1302, LogLevel.Information, "{Job} was skipped here for its fire time {FireTime:O}: its lock '{LockName}' is not free. Holder: {NodeId}.")]
    private static partial void SkippedAsHeld(this ILogger logger, JobKey job, DateTimeOffset fireTime, string lockName, string? nodeId);

    [LoggerMessage(1303, LogLevel.Debug, "{Job} was skipped here for its fire time {FireTime:O}: node {NodeId} has run it.")]
    private static partial void SkippedAsRun(this ILogger logger, JobKey job, DateTimeOffset fireTime, string? nodeId);

    [LoggerMessage(1304, LogLevel.Warning, "{Job} was skipped here for its fire time {FireTime:O}: the lock store does not reply.")]
    private static partial void SkippedAsUnavailable(this ILogger logger, JobKey job, DateTimeOffset fireTime);

    [LoggerMessage(1305, LogLevel.Warning, "{Job} ran here for its fire time {FireTime:O} without a lease, because the lock store does not reply. Other nodes may have run it too.")]
    private static partial void RanUnprotected(this ILogger logger, JobKey job, DateTimeOffset fireTime);

    [LoggerMessage(1306, LogLevel.Error, "{Job} lost its lease of the lock '{LockName}', token {FencingToken}, while it ran for its fire time {FireTime:O}. It was interrupted.")]
    private static partial void Lost(this ILogger logger, JobKey job, DateTimeOffset fireTime, string lockName, long? fencingToken);

    [LoggerMessage(1307, LogLevel.Debug, "{Job} stands by for its fire time {FireTime:O}, which node {NodeId} runs.")]
    public static partial void StandsBy(this ILogger logger, JobKey job, DateTimeOffset fireTime, string? nodeId);

    [LoggerMessage(1308, LogLevel.Warning, "The lock of {Job} cannot be asked for.")]
    public static partial void StoreUnavailable(this ILogger logger, Exception exception, JobKey job);

    [LoggerMessage(1309, LogLevel.Warning, "{Job} had lost its lease of the lock '{LockName}', token {FencingToken}, by the time that it was done. Whether another node ran it meanwhile is not known.")]
    public static partial void FoundLostAtRelease(this ILogger logger, JobKey job, string lockName, long fencingToken);

    [LoggerMessage(1310, LogLevel.Error, "The interruption of {Job} failed.")]
    public static partial void InterruptionFailed(this ILogger logger, Exception exception, JobKey job);

    [LoggerMessage(1311, LogLevel.Warning, "The scheduler {Scheduler} does not wait for its jobs when the host stops: they run on until they are interrupted at the very end, or the process ends. Set QuartzHostedServiceOptions.WaitForJobsToComplete to true, and QuartzSchedulerOptions.ShutdownJobInterruption to WhenWaitingForJobs or Always (it is {Interruption}) for jobs that take long.")]
    public static partial void JobsMayOutliveHost(this ILogger logger, string scheduler, ShutdownJobInterruption interruption);

    [LoggerMessage(1312, LogLevel.Warning, "{Job} still runs although the host stops, and is interrupted.")]
    public static partial void InterruptedAtStop(this ILogger logger, JobKey job);

    [LoggerMessage(1313, LogLevel.Error, "{Job} did not stop when it was interrupted, and the host does not wait any longer. Its lock passes on when the lease runs out.")]
    public static partial void OutlivesHost(this ILogger logger, JobKey job);

    [LoggerMessage(1314, LogLevel.Warning, "The job {Job} was given no key, so each node generates one; its lock is named by its type, {Type}. Give it a key with WithIdentity, or its lock a name.")]
    public static partial void NamedByType(this ILogger logger, JobKey job, Type type);

    [LoggerMessage(1330, LogLevel.Warning, "Trigger {Trigger} of {Job} ({Schedule}) starts now, so its fire times are others on each node, and each node runs the job for its own. Use a cron trigger, a simple trigger that repeats, or StartAt with the same time on all nodes.")]
    public static partial void FiresOnEachNode(this ILogger logger, JobKey job, TriggerKey trigger, string schedule);

    [LoggerMessage(1331, LogLevel.Warning, "The scheduler {Scheduler} seems to be named by its machine, and the locks of its jobs that were given no name are the scheduler's own: they exclude no job on another machine. Give it the same InstanceName on all nodes; InstanceId tells nodes apart.")]
    public static partial void SchedulerNamedByMachine(this ILogger logger, string scheduler);

    [LoggerMessage(1332, LogLevel.Warning, "The job {Job} ({Type}) was scheduled at run time under a key that may be a generated one. Where it is, each node has another, and its lock excludes nobody: give it a key with WithIdentity. Where it was given, all is well; a group of its own says so.")]
    public static partial void KeyMayBeGenerated(this ILogger logger, JobKey job, Type type);
}
