using Coordination.Hosting.Execution;
using Microsoft.Extensions.Logging;

namespace Coordination.Hosting.Telemetry;

/// <summary>The log messages of this package: event ids 1200 to 1299, which do not change their meaning.</summary>
internal static partial class LogMessages
{
    [LoggerMessage(1200, LogLevel.Information, "{Service} stands by for the lock '{LockName}'.")]
    public static partial void StandsBy(this ILogger logger, string service, string lockName);

    [LoggerMessage(1201, LogLevel.Information, "{Service} leads: lock '{LockName}', instance {Instance}, token {FencingToken}, node {NodeId}.")]
    public static partial void Leads(this ILogger logger, string service, string lockName, int instance, long fencingToken, string nodeId);

    [LoggerMessage(1202, LogLevel.Information, "{Service} ended its term: lock '{LockName}', token {FencingToken}, after {Duration}, because: {TermEnd}. Release: {Release}.")]
    public static partial void Ended(this ILogger logger, string service, string lockName, long fencingToken, TimeSpan duration, WorkEnd termEnd, ReleaseResult release);

    [LoggerMessage(EventId = 1203, Message = "{Service} lost its lease of the lock '{LockName}', token {FencingToken}: {LossReason}. Its work is told to stop.")]
    public static partial void Lost(this ILogger logger, LogLevel level, string service, string lockName, long fencingToken, LeaseLossReason? lossReason);

    [LoggerMessage(1204, LogLevel.Error, "{Service} failed as the leader: lock '{LockName}', token {FencingToken}, after {Duration}. Another node may try; this one stays away for a while. Release: {Release}.")]
    public static partial void Failed(this ILogger logger, Exception? exception, string service, string lockName, long fencingToken, TimeSpan duration, ReleaseResult release);

    [LoggerMessage(1205, LogLevel.Warning, "{Service} is OVERDUE: it lost its lease of the lock '{LockName}', token {FencingToken}, {LostFor} ago and its work still runs, maybe beside that of another node. It does not contend until the work has returned.")]
    public static partial void Overdue(this ILogger logger, string service, string lockName, long fencingToken, TimeSpan lostFor);

    [LoggerMessage(1206, LogLevel.Critical, "{Service} stops the host because its work is overdue, and waits for that work no longer: lock '{LockName}', token {FencingToken}.")]
    public static partial void StopsHost(this ILogger logger, string service, string lockName, long fencingToken);

    [LoggerMessage(1207, LogLevel.Warning, "{Service} cannot contend for the lock '{LockName}': {Refusal} It tries again by itself.")]
    public static partial void Refused(this ILogger logger, string service, string lockName, string refusal);

    [LoggerMessage(1208, LogLevel.Information, "{Service} stands by for the lock '{LockName}': node {LeaderNodeId} leads with token {LeaderFencingToken} since {LeaderSince:O}.")]
    public static partial void SeesLeader(this ILogger logger, string service, string lockName, string leaderNodeId, long leaderFencingToken, DateTimeOffset leaderSince);

    [LoggerMessage(1209, LogLevel.Warning, "{Service} still runs, and the host waits no longer for it to stop. Its lock '{LockName}' stays held until the work returns or the process ends, and for {Respite} at most once the host is disposed.")]
    public static partial void StillRunning(this ILogger logger, string service, string lockName, TimeSpan respite);

    [LoggerMessage(1210, LogLevel.Information, "{Service} was granted the lock '{LockName}', token {FencingToken}, while the host stops, or this node may lead no more. The grant was undone. Release: {Release}.")]
    public static partial void Declined(this ILogger logger, string service, string lockName, long fencingToken, ReleaseResult release);

    [LoggerMessage(1211, LogLevel.Information, "{Service} has completed and does not contend for the lock '{LockName}' again on this node.")]
    public static partial void Completed(this ILogger logger, string service, string lockName);

    [LoggerMessage(1212, LogLevel.Error, "A callback that {Service} registered on its stopping token threw; lock '{LockName}'.")]
    public static partial void StopCallbackFailed(this ILogger logger, Exception exception, string service, string lockName);

    [LoggerMessage(EventId = 1213, Message = "{Service} ended its term by {ExceptionType}, after it was told to stop: lock '{LockName}', token {FencingToken}, after {Duration}, because: {TermEnd}. Release: {Release}.")]
    public static partial void EndedByException(
        this ILogger logger, LogLevel level, Exception? exception, string service, string exceptionType, string lockName, long fencingToken, TimeSpan duration, WorkEnd termEnd, ReleaseResult release);

    [LoggerMessage(1214, LogLevel.Error, "The disposal of a scoped service of {Service} threw at the end of its work; lock '{LockName}'. The lock is released all the same.")]
    public static partial void ScopeFailed(this ILogger logger, Exception exception, string service, string lockName);

    [LoggerMessage(1215, LogLevel.Error, "{Service} still runs although its host is disposed. Its lock '{LockName}' is given up: it is renewed no more, and another node takes over within the lease duration, maybe beside this work.")]
    public static partial void GivesUp(this ILogger logger, string service, string lockName);

    [LoggerMessage(1216, LogLevel.Critical, "{Service} ends the process with exit code {ExitCode} because its work is overdue: lock '{LockName}', token {FencingToken}.")]
    public static partial void EndsProcess(this ILogger logger, string service, string lockName, long fencingToken, int exitCode);

    [LoggerMessage(1217, LogLevel.Critical, "{Service} stops the host after {Failures} failures in a row; lock '{LockName}'.")]
    public static partial void StopsHostAfter(this ILogger logger, string service, string lockName, int failures);

    [LoggerMessage(1218, LogLevel.Information, "{Service} follows node {LeaderNodeId}, token {LeaderFencingToken}, as the leader by the lock '{LockName}'. That term is over: {PredecessorEnd}.")]
    public static partial void Follows(this ILogger logger, string service, string lockName, string leaderNodeId, long leaderFencingToken, string predecessorEnd);

    [LoggerMessage(1219, LogLevel.Warning, "{Service} is set to {Instances} leader(s) at a time, and other nodes lead or stand by with another number: they use the lock '{LockName}' as {InUseAs}. This node waits until they have gone, as in a rolling update, and asks again by itself.")]
    public static partial void Defers(this ILogger logger, string service, int instances, string lockName, LockCapacity inUseAs);

    [LoggerMessage(1220, LogLevel.Information, "{Service} begins a run: lock '{LockName}', token {FencingToken}, scheduled for {ScheduledFor:O}, recovering: {IsRecovery}.")]
    public static partial void PeriodicRunBegins(this ILogger logger, string service, string lockName, long fencingToken, DateTimeOffset? scheduledFor, bool isRecovery);

    [LoggerMessage(1221, LogLevel.Information, "{Service} ended a run: lock '{LockName}', token {FencingToken}, after {Duration}, because: {WorkEnd}.")]
    public static partial void PeriodicRunEnded(this ILogger logger, string service, string lockName, long fencingToken, TimeSpan duration, WorkEnd workEnd);

    [LoggerMessage(1222, LogLevel.Error, "{Service} failed in a run: lock '{LockName}', token {FencingToken}, after {Duration}. The run counts as done; the next slot tries again.")]
    public static partial void PeriodicRunFailed(this ILogger logger, Exception? exception, string service, string lockName, long fencingToken, TimeSpan duration);

    [LoggerMessage(1223, LogLevel.Warning, "{Service} lost its lease in a run: lock '{LockName}', token {FencingToken}, after {Duration}: {LossReason}.")]
    public static partial void PeriodicRunLost(this ILogger logger, string service, string lockName, long fencingToken, TimeSpan duration, LeaseLossReason? lossReason);

    [LoggerMessage(1224, LogLevel.Warning, "{Service} cannot ask for the lock '{LockName}': {Refusal} It tries again by itself.")]
    public static partial void PeriodicRefused(this ILogger logger, string service, string lockName, string refusal);

    [LoggerMessage(1226, LogLevel.Warning, "{Service} ended its run for {ScheduledFor:O}, and the store did not confirm it: lock '{LockName}', token {FencingToken}, release: {Release}. The run may count as one that was cut short, and another node repeat it.")]
    public static partial void PeriodicReleaseUnconfirmed(this ILogger logger, string service, DateTimeOffset scheduledFor, string lockName, long fencingToken, ReleaseResult? release);

    [LoggerMessage(1227, LogLevel.Warning, "{Service} was not run here for {ScheduledFor:O}, for node {NodeId} has run the later {LastScheduledFor:O}: a clock was ahead, there or here is behind, and nothing is run until that time has passed. Set the clocks right, and to go on within a minute forget that time: ILockInspector.ForgetOccurrenceAsync(\"{LockName}\", \"{Series}\").")]
    public static partial void PeriodicSlotIsAhead(this ILogger logger, string service, DateTimeOffset scheduledFor, string nodeId, DateTimeOffset lastScheduledFor, string lockName, string series);

    [LoggerMessage(1228, LogLevel.Warning, "{Service} was cut short in its run for {ScheduledFor:O}: lock '{LockName}', token {FencingToken}, because: {WorkEnd}. RecoverInterrupted is false, so that no node repeats it. To have the work done before the next slot, trigger a run: IPeriodicTrigger.RunNowAsync.")]
    public static partial void PeriodicRunOverAndUnfinished(this ILogger logger, string service, DateTimeOffset scheduledFor, string lockName, long fencingToken, WorkEnd workEnd);

    [LoggerMessage(1229, LogLevel.Error, "{Service} failed between its runs in a way that nobody expected; lock '{LockName}'. It goes on by itself in 30 s.")]
    public static partial void PeriodicLoopFailed(this ILogger logger, Exception exception, string service, string lockName);

    [LoggerMessage(1230, LogLevel.Information, "'{Work}' is run by this node, once: lock '{LockName}', token {FencingToken}, recovering: {IsRecovery}.")]
    public static partial void RunOnceBegins(this ILogger logger, string work, string lockName, long fencingToken, bool isRecovery);

    [LoggerMessage(1231, LogLevel.Information, "'{Work}' is done, after {Duration}. The store remembers that for {RememberFor}; a node that starts later than that with the same name does it again.")]
    public static partial void RunOnceDone(this ILogger logger, string work, TimeSpan duration, TimeSpan rememberFor);

    [LoggerMessage(1232, LogLevel.Information, "'{Work}' was done before.")]
    public static partial void RunOnceWasDone(this ILogger logger, string work);

    [LoggerMessage(1233, LogLevel.Information, "'{Work}' is being done by another node, or the store is away. This node starts when it is done.")]
    public static partial void RunOnceWaits(this ILogger logger, string work);

    [LoggerMessage(1234, LogLevel.Warning, "'{Work}' lost its lease after {Duration}: {LossReason}. Another node may do it over; this one waits for that.")]
    public static partial void RunOnceLost(this ILogger logger, string work, TimeSpan duration, LeaseLossReason? lossReason);

    [LoggerMessage(1235, LogLevel.Information, "'{Work}' is not done, for the start was cancelled. Another node may do it.")]
    public static partial void RunOnceCancelled(this ILogger logger, string work);

    [LoggerMessage(1236, LogLevel.Warning, "'{Work}' is done, and the store did not confirm it: lock '{LockName}', token {FencingToken}, release: {Release}. It may count as not finished, and another node do it over.")]
    public static partial void RunOnceUnconfirmed(this ILogger logger, string work, string lockName, long fencingToken, ReleaseResult release);

    [LoggerMessage(1240, LogLevel.Information, "{Service} prepares its next term, and then stands by for the lock '{LockName}'.")]
    public static partial void Prepares(this ILogger logger, string service, string lockName);

    [LoggerMessage(1241, LogLevel.Error, "{Service} failed to prepare a term, after {Duration}; lock '{LockName}'. This node does not contend until it has, and tries again after a while.")]
    public static partial void PreparationFailed(this ILogger logger, Exception exception, string service, string lockName, TimeSpan duration);

    [LoggerMessage(1242, LogLevel.Error, "The disposal of what {Service} had prepared for a term threw; lock '{LockName}'. The lock is released all the same.")]
    public static partial void PreparedFailed(this ILogger logger, Exception exception, string service, string lockName);

    [LoggerMessage(1244, LogLevel.Information, "{Service} does not stand by for the lock '{LockName}': {Reason}.")]
    public static partial void MayNotLead(this ILogger logger, string service, string lockName, string reason);

    [LoggerMessage(1245, LogLevel.Information, "Node {NodeId} drains: it leads nothing new, and gives away what it leads, one after the other.")]
    public static partial void Drains(this ILogger logger, string nodeId);

    [LoggerMessage(1246, LogLevel.Information, "Node {NodeId} is drained: it leads nothing until it is resumed.")]
    public static partial void Drained(this ILogger logger, string nodeId);

    [LoggerMessage(1247, LogLevel.Information, "Node {NodeId} is resumed: its services contend again.")]
    public static partial void Resumed(this ILogger logger, string nodeId);

    [LoggerMessage(1248, LogLevel.Warning, "A setting that may change while the host runs stays as it was, for the configuration that was read again is refused: {Error}")]
    public static partial void ReloadFailed(this ILogger logger, string error);

    [LoggerMessage(1249, LogLevel.Information, "{Service} makes way for node {Preferred}, rank {Rank}, which is preferred as the leader: lock '{LockName}', token {FencingToken}.")]
    public static partial void MakesWay(this ILogger logger, string service, string preferred, long rank, string lockName, long fencingToken);

    [LoggerMessage(1250, LogLevel.Information, "{Service} released the lock '{LockName}', token {FencingToken}, to node {Successor}, if that waited for it.")]
    public static partial void PassesTo(this ILogger logger, string service, string lockName, long fencingToken, string successor);

    [LoggerMessage(1252, LogLevel.Information, "{Service} failed, and so is preferred to no other node as the leader for {Time}; lock '{LockName}'.")]
    public static partial void Abstains(this ILogger logger, string service, string lockName, TimeSpan time);

    [LoggerMessage(1253, LogLevel.Information, "{Service} is preferred as the leader as it is set again; lock '{LockName}'.")]
    public static partial void AbstainsNoMore(this ILogger logger, string service, string lockName);

    [LoggerMessage(1254, LogLevel.Warning, "{Service} cannot learn which nodes wait for the lock '{LockName}', so that no node is preferred to another, and none that is named is next: {Refusal}")]
    public static partial void CannotSeeQueue(this ILogger logger, string service, string lockName, string refusal);

    [LoggerMessage(1255, LogLevel.Warning, "What this node leads by the lock '{LockName}' is to end, for the node gives away what it leads, and has not within {Patience}. It keeps its lock until it has; what comes after it is given away meanwhile.")]
    public static partial void DrainPassesOver(this ILogger logger, string lockName, TimeSpan patience);

    [LoggerMessage(1251, LogLevel.Warning, "{Service} still runs what comes before or after a term, and the host waits no longer for it to stop. It does not hold its lock '{LockName}'.")]
    public static partial void StillRunsWithoutLock(this ILogger logger, string service, string lockName);

    [LoggerMessage(1243, LogLevel.Error, "{Service} threw in {Hook}: lock '{LockName}', token {FencingToken}. Nothing else changes by that.")]
    public static partial void HookFailed(this ILogger logger, Exception exception, string service, string hook, string lockName, long fencingToken);
}
