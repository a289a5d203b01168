using System.Net;
using Microsoft.Extensions.Logging;
using StackExchange.Redis;

namespace Coordination.Redis.Telemetry;

/// <summary>The log lines of the Redis store: events 1100 to 1199.</summary>
internal static partial class Log
{
    [LoggerMessage(1100, LogLevel.Information, "The Redis server is fit to keep locks{Condition}: {Server} {Version}, {Milliseconds} ms of probing.")]
    public static partial void ServerIsFit(ILogger logger, string condition, string server, string version, long milliseconds);

    [LoggerMessage(1101, LogLevel.Warning, "The connection to the Redis server {EndPoint} was lost: {FailureType}. Leases hold until their deadlines; it is being restored.")]
    public static partial void ConnectionLost(ILogger logger, EndPoint? endPoint, ConnectionFailureType failureType);

    [LoggerMessage(1102, LogLevel.Information, "The connection to the Redis server {EndPoint} is restored.")]
    public static partial void ConnectionRestored(ILogger logger, EndPoint? endPoint);

    [LoggerMessage(1103, LogLevel.Warning, "The registered IConnectionMultiplexer does not suit leases: {Doubt}.")]
    public static partial void ConnectionDoubtful(ILogger logger, string doubt);

    [LoggerMessage(1105, LogLevel.Warning, "The server is Garnet {Version}. Over a registered IConnectionMultiplexer it cannot be found out whether its scripts are atomic: make sure that it was started with --lua --lua-transaction-mode, or give UseRedis a connection string.")]
    public static partial void AtomicityUnknown(ILogger logger, string version);

    [LoggerMessage(1106, LogLevel.Warning, "The Redis server in reach is a replica. Leases hold until their deadlines; the primary is being looked for, over a new connection where that is needed.")]
    public static partial void OnlyReplicaInReach(ILogger logger);

    [LoggerMessage(1107, LogLevel.Warning, "The Redis server in reach of the registered IConnectionMultiplexer is a replica, and no lock is granted until it reaches the primary. Where the primary was demoted behind the same address, the connection to it stays up: make a new multiplexer, have a proxy or the server close the connection (CLIENT KILL TYPE normal), or give UseRedis a connection string, and the store makes its own connection anew by itself.")]
    public static partial void GivenConnectionHasNoPrimary(ILogger logger);

    [LoggerMessage(1108, LogLevel.Information, "The primary of Redis is found.")]
    public static partial void PrimaryFound(ILogger logger);

    [LoggerMessage(1109, LogLevel.Information, "The Redis server does not say what it is, so its version was not checked: locks need Redis 6.2 or later, Valkey, or Garnet with --lua --lua-transaction-mode. It replied: {Reason}")]
    public static partial void ServerIsUnknown(ILogger logger, string reason);

    [LoggerMessage(1110, LogLevel.Warning, "It could not be found out whether the server's scripts are atomic, as locks need them: on Redis and Valkey they are, on Garnet with --lua --lua-transaction-mode. It replied: {Reason}")]
    public static partial void RaceRefused(ILogger logger, string reason);

    [LoggerMessage(1111, LogLevel.Warning, "Another node has this node's id already and listens on {Channel}: this process or its machine is a copy of one that runs. Each takes the other's locks for its own. Start this process anew, so that it has an id of its own.")]
    public static partial void IdIsTaken(ILogger logger, string channel);

    [LoggerMessage(1112, LogLevel.Debug, "The Redis server does not say whether another node has this node's id. It replied: {Reason}")]
    public static partial void ListenersAreUnknown(ILogger logger, string reason);

    [LoggerMessage(1113, LogLevel.Information, "The Redis server has replicas, and its min-replicas-to-write is 0: when it is cut off from them and one of them takes over, it goes on confirming leases for those that still reach it, and a lock can have two holders until it is heard of again. Set min-replicas-to-write 1 and min-replicas-max-lag to less than the lease, and let resources check the fencing token.")]
    public static partial void WritesWithoutReplicas(ILogger logger);

    [LoggerMessage(1114, LogLevel.Warning, "The Redis server may lose locks that are held, and a lock then has two holders until the first of them renews: {Risks}.")]
    public static partial void MayLoseLocks(ILogger logger, string risks);

    [LoggerMessage(1116, LogLevel.Debug, "The connection to the Redis server {EndPoint} was closed, as when it is idle for too long, and restored at once: {FailureType}.")]
    public static partial void ConnectionClosed(ILogger logger, EndPoint endPoint, ConnectionFailureType failureType);

    [LoggerMessage(1115, LogLevel.Information, "The Redis server does not say {Unknown}.")]
    public static partial void RetentionIsUnknown(ILogger logger, string unknown);

    [LoggerMessage(1118, LogLevel.Debug, "Whether locks of another layout have the same prefix on the Redis server was not looked for: {Reason}")]
    public static partial void LayoutIsUnknown(ILogger logger, string reason);

    [LoggerMessage(1119, LogLevel.Information, "Locks of another layout under the same prefix were looked for among the first {Count} keys of {EndPoint} alone, for it has more: nodes of another version of this library must not run beside this one.")]
    public static partial void LayoutIsPartlyKnown(ILogger logger, EndPoint endPoint, int count);
}
