using Coordination.Hosting.Execution;
using Microsoft.Extensions.Logging;

namespace Coordination.Hosting.Telemetry;

/// <summary>Those of partitioned services: event ids 1260 to 1279.</summary>
internal static partial class LogMessages
{
    [LoggerMessage(1260, LogLevel.Information, "{Service} takes part in sharing the partitions of '{LockName}', as node {NodeId}.")]
    public static partial void PartitionsJoined(this ILogger logger, string service, string lockName, string nodeId);

    [LoggerMessage(1261, LogLevel.Information, "{Service} leads {Led} of the {Share} partitions that are its share of '{LockName}'; there are {Partitions}, and {Members} nodes.")]
    public static partial void PartitionsLed(this ILogger logger, string service, string lockName, int led, int share, int partitions, int members);

    [LoggerMessage(1262, LogLevel.Warning, "{Service} lost the leases of {Lost} partitions of '{LockName}' since the last such line. Their work is told to stop; the node contends for its share again by itself.")]
    public static partial void PartitionsLost(this ILogger logger, string service, string lockName, int lost);

    [LoggerMessage(1263, LogLevel.Warning, "{Service} is no member of those that share the partitions of '{LockName}' any more: {LossReason}. It goes on with the partitions whose leases it has, and becomes one again by itself.")]
    public static partial void PartitionsMembershipLost(this ILogger logger, string service, string lockName, LeaseLossReason? lossReason);

    [LoggerMessage(1264, LogLevel.Warning, "{Service} cannot see who shares the partitions of '{LockName}': {Reason} It goes on with what it has, and looks again by itself.")]
    public static partial void PartitionsCannotBalance(this ILogger logger, string service, string lockName, string reason);

    [LoggerMessage(1265, LogLevel.Information, "{Service} sees again who shares the partitions of '{LockName}'.")]
    public static partial void PartitionsBalanceAgain(this ILogger logger, string service, string lockName);

    [LoggerMessage(1266, LogLevel.Error, "{Service} cannot name the partitions of '{LockName}'. It goes on with those that it knows, and asks again by itself.")]
    public static partial void PartitionsCannotList(this ILogger logger, Exception exception, string service, string lockName);

    [LoggerMessage(1267, LogLevel.Information, "{Service} names the partitions of '{LockName}' again.")]
    public static partial void PartitionsListAgain(this ILogger logger, string service, string lockName);

    [LoggerMessage(1268, LogLevel.Debug, "{Service} leads a partition: lock '{LockName}', token {FencingToken}.")]
    public static partial void PartitionLeads(this ILogger logger, string service, string lockName, long fencingToken);

    [LoggerMessage(1269, LogLevel.Debug, "{Service} ended its term in a partition: lock '{LockName}', token {FencingToken}, after {Duration}, because: {TermEnd}. Release: {Release}. It threw: {ExceptionType}. It passes to: {Successor}.")]
    public static partial void PartitionEnded(
        this ILogger logger, string service, string lockName, long fencingToken, TimeSpan duration, WorkEnd termEnd, ReleaseResult release, string? exceptionType, string? successor);

    [LoggerMessage(1270, LogLevel.Error, "{Service} failed in the partition '{Partition}': lock '{LockName}', token {FencingToken}, after {Duration}. This node stays away from the partition for a while, and then begins it again. Release: {Release}.")]
    public static partial void PartitionFailed(
        this ILogger logger, Exception? exception, string service, string partition, string lockName, long fencingToken, TimeSpan duration, ReleaseResult release);

    [LoggerMessage(1271, LogLevel.Error, "{Service} failed in sharing the partitions of '{LockName}' in a way that nobody expected. It goes on with what it has, and looks again by itself.")]
    public static partial void PartitionsLoopFailed(this ILogger logger, Exception exception, string service, string lockName);

    [LoggerMessage(1272, LogLevel.Information, "{Service} takes no part in sharing the partitions of '{LockName}': {Reason}. What it leads of them it gives away, one after the other.")]
    public static partial void PartitionsTakesNoPart(this ILogger logger, string service, string lockName, string reason);

    [LoggerMessage(1275, LogLevel.Error, "{Service} leaves out {Count} of the names that GetPartitionsAsync returned for the partitions of '{LockName}': no node leads those. {First}")]
    public static partial void PartitionsLeavesOut(this ILogger logger, string service, string lockName, int count, string first);

    [LoggerMessage(1276, LogLevel.Information, "{Service} leaves out no name of a partition of '{LockName}' any more.")]
    public static partial void PartitionsLeavesOutNoMore(this ILogger logger, string service, string lockName);
}
