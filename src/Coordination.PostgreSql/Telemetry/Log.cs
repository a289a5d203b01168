using Microsoft.Extensions.Logging;

namespace Coordination.PostgreSql.Telemetry;

/// <summary>The log lines of the PostgreSQL store: events 1300 to 1399.</summary>
internal static partial class Log
{
    [LoggerMessage(1300, LogLevel.Information, "The PostgreSQL server is fit to keep locks: {Address}, version {Version}, schema {Schema}.")]
    public static partial void ServerIsFit(ILogger logger, string address, string version, string schema);

    [LoggerMessage(1301, LogLevel.Warning, "The PostgreSQL server could not be examined at start and will be when it is back, before the first lock: {Reason}")]
    public static partial void ExaminationDeferred(ILogger logger, string reason);

    [LoggerMessage(1302, LogLevel.Information, "The start was cancelled before the PostgreSQL server was examined.")]
    public static partial void ExaminationCancelled(ILogger logger);

    [LoggerMessage(1303, LogLevel.Warning, "The connection on which this node hears of locks was lost: {Reason} Waiters go by the ends of leases until it is back.")]
    public static partial void ListenerLost(ILogger logger, string reason);

    [LoggerMessage(1304, LogLevel.Information, "The connection on which this node hears of locks is back.")]
    public static partial void ListenerRestored(ILogger logger);

    [LoggerMessage(1305, LogLevel.Debug, "Rows of locks that nobody uses were not forgotten now: {Reason}")]
    public static partial void NotForgotten(ILogger logger, string reason);
}
