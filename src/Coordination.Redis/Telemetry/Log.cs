using System.Net;
using Microsoft.Extensions.Logging;
using StackExchange.Redis;

namespace Coordination.Redis.Telemetry;

/// <summary>The log lines of the Redis store: events 1100 to 1199.</summary>
internal static partial class Log
{
    [LoggerMessage(1100, LogLevel.Information, "The Redis server is fit to keep locks: {Server} {Version}, {Milliseconds} ms of probing.")]
    public static partial void ServerIsFit(ILogger logger, string server, string version, long milliseconds);

    [LoggerMessage(1101, LogLevel.Warning, "The connection to the Redis server {EndPoint} was lost: {FailureType}. Leases hold until their deadlines; it is being restored.")]
    public static partial void ConnectionLost(ILogger logger, EndPoint? endPoint, ConnectionFailureType failureType);

    [LoggerMessage(1102, LogLevel.Information, "The connection to the Redis server {EndPoint} is restored.")]
    public static partial void ConnectionRestored(ILogger logger, EndPoint? endPoint);

    [LoggerMessage(1103, LogLevel.Warning, "The registered IConnectionMultiplexer does not suit leases: {Doubt}.")]
    public static partial void ConnectionDoubtful(ILogger logger, string doubt);

    [LoggerMessage(1104, LogLevel.Warning, "The Redis server could not be examined at start and will be when it is back, before the first lock: {Reason}")]
    public static partial void ProbeDeferred(ILogger logger, string reason);

    [LoggerMessage(1105, LogLevel.Warning, "The server is Garnet {Version}. Over a registered IConnectionMultiplexer it cannot be found out whether its scripts are atomic: make sure that it was started with --lua --lua-transaction-mode, or give UseRedis a connection string.")]
    public static partial void AtomicityUnknown(ILogger logger, string version);
}
