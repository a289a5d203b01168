using Microsoft.Extensions.Logging;

namespace Coordination.PostgreSql.Telemetry;

/// <summary>The log lines of the PostgreSQL store: events 1500 to 1599.</summary>
internal static partial class Log
{
    [LoggerMessage(1500, LogLevel.Information, "The PostgreSQL server is fit to keep locks: {Address}, version {Version}, schema {Schema}.")]
    public static partial void ServerIsFit(ILogger logger, string address, string version, string schema);

    [LoggerMessage(1503, LogLevel.Warning, "The connection on which this node hears of locks was lost: {Reason} Waiters go by the ends of leases until it is back.")]
    public static partial void ListenerLost(ILogger logger, string reason);

    [LoggerMessage(1504, LogLevel.Information, "The connection on which this node hears of locks is back.")]
    public static partial void ListenerRestored(ILogger logger);

    [LoggerMessage(1505, LogLevel.Debug, "Rows of locks that nobody uses were not forgotten now: {Reason}")]
    public static partial void NotForgotten(ILogger logger, string reason);
}
