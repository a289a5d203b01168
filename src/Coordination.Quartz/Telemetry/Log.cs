using Microsoft.Extensions.Logging;
using Quartz;

namespace Coordination.Quartz.Telemetry;

/// <summary>The log messages of exclusive jobs: 1300 to 1399.</summary>
internal static partial class Log
{
    [LoggerMessage(1307, LogLevel.Debug, "{Job} stands by for its fire time {FireTime:O}, which node {NodeId} runs.")]
    public static partial void StandsBy(this ILogger logger, JobKey job, DateTimeOffset fireTime, string? nodeId);

    [LoggerMessage(1308, LogLevel.Warning, "The lock store cannot be asked, for {Job} first: {Reason} Until it can, fires of exclusive jobs are skipped, wait, or run without a lease, as OnStoreUnavailable says for each; that is said at Debug, and as a warning for a fire that no later one of its series follows.")]
    public static partial void StoreUnavailable(this ILogger logger, JobKey job, string reason);

    [LoggerMessage(1309, LogLevel.Warning, "{Job} ended its run for its fire time {FireTime:O}, and the store did not confirm it: lock '{LockName}', token {FencingToken}, release: {Release}. The lease may have ended before the run, and another node have run the job beside it; or the run may count as one that was cut short, and its lock pass on when the lease runs out.")]
    public static partial void ReleaseUnconfirmed(this ILogger logger, JobKey job, DateTimeOffset fireTime, string lockName, long fencingToken, ReleaseResult release);

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

    [LoggerMessage(1330, LogLevel.Warning, "Trigger {Trigger} of {Job} ({Schedule}) starts now, so its fire times are others on each node, and each node runs the job for its own. Use a cron trigger, a simple trigger that repeats, or StartAt with the same time on all nodes, and give the trigger a key with WithIdentity.")]
    public static partial void FiresOnEachNode(this ILogger logger, JobKey job, TriggerKey trigger, string schedule);

    [LoggerMessage(1331, LogLevel.Warning, "The scheduler {Scheduler} seems to be named by its machine, and the locks of its jobs that were given no name are the scheduler's own: they exclude no job on another machine. Give it the same InstanceName on all nodes; InstanceId tells nodes apart.")]
    public static partial void SchedulerNamedByMachine(this ILogger logger, string scheduler);

    [LoggerMessage(1332, LogLevel.Warning, "The job {Job} ({Type}) was scheduled at run time under a key that may be a generated one. Where it is, each node has another, and its lock excludes nobody: give it a key with WithIdentity. Where it was given, all is well; a group of its own says so.")]
    public static partial void KeyMayBeGenerated(this ILogger logger, JobKey job, Type type);

    [LoggerMessage(1333, LogLevel.Debug, "The turn of {Job} has come for the lock '{LockName}', and it waits for a place in the thread pool of its scheduler.")]
    public static partial void WaitsForPlace(this ILogger logger, JobKey job, string lockName);

    [LoggerMessage(1334, LogLevel.Warning, "The trigger {Trigger} of {Job} ({Type}) was scheduled at run time under a key that may be a generated one. Where it is, each node that schedules it has another, and each runs the job: give it a key with WithIdentity, or trigger a job that only this node asks for by TriggerJob. Where it was given, all is well; a group of its own says so.")]
    public static partial void TriggerKeyMayBeGenerated(this ILogger logger, TriggerKey trigger, JobKey job, Type type);

    [LoggerMessage(1335, LogLevel.Information, "The turn of {Job} has come for its fire time {FireTime:O}, and its trigger {Trigger} is paused: it runs when that is resumed, if no other node has run it by then.")]
    public static partial void HeldBackByPause(this ILogger logger, JobKey job, DateTimeOffset fireTime, TriggerKey trigger);

    [LoggerMessage(1350, LogLevel.Information, "The lock store replies again, and exclusive jobs go on. {Fires} fires met the outage.")]
    public static partial void StoreIsBack(this ILogger logger, int fires);

    [LoggerMessage(1351, LogLevel.Warning, "{Job} has run for longer than its MaxRunTime of {MaxRunTime}, and is interrupted. Its lease is renewed until it has returned.")]
    public static partial void InterruptedAsOverdue(this ILogger logger, JobKey job, TimeSpan? maxRunTime);

    [LoggerMessage(1352, LogLevel.Warning, "The job {Job} is set to be recovered by another node (OnCrash), which does nothing on the job store of the scheduler {Scheduler}, which outlives the process: there each fire comes to one node only. Build the job with RequestRecovery(), and Quartz has another node run it again.")]
    public static partial void RecoveryByOthersDoesNothing(this ILogger logger, JobKey job, string scheduler);

    [LoggerMessage(1353, LogLevel.Warning, "The scheduler {Scheduler} has a thread pool of type {Type}: there, a fire that waits for a lock takes up one of its {Places} places. Use Quartz's default pool, in which it takes up none.")]
    public static partial void WaitsTakePlaces(this ILogger logger, string scheduler, string type, int places);

    [LoggerMessage(1354, LogLevel.Warning, "The trigger {Trigger} starts after {Parent}, whose job {Job} is exclusive, also where that fire was vetoed, which a fire that is skipped is: it starts on each node that skips. Let it start by ContinuationCondition.OnSuccess, or by OnFailure and OnCancellation as well.")]
    public static partial void ContinuesAfterSkips(this ILogger logger, TriggerKey trigger, TriggerKey parent, JobKey job);

    [LoggerMessage(1355, LogLevel.Error, "The scheduler {Scheduler} has started with jobs that cannot be exclusive as they are set, and each of their fires fails. {Reason}")]
    public static partial void NotExclusiveAsSet(this ILogger logger, string scheduler, string reason);

    [LoggerMessage(1356, LogLevel.Warning, "{Job} asks for its lock '{LockName}' as {Wanted}, and others use it as {InUseAs}, as during a rolling update that changes it. Until they neither hold it nor wait for it any more, fires of the job are skipped here where a later one of their series follows, and else wait. If this lasts, give the jobs that share the lock the same limit, or names of their own.")]
    public static partial void InUseAsOther(this ILogger logger, JobKey job, string lockName, LockCapacity wanted, LockCapacity inUseAs);

    [LoggerMessage(1357, LogLevel.Information, "The lock '{LockName}' of {Job} can be had as {Wanted} again: nobody uses it as {InUseAs} any more.")]
    public static partial void InUseAsWanted(this ILogger logger, JobKey job, string lockName, LockCapacity wanted, LockCapacity inUseAs);
}
