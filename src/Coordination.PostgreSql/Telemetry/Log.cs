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

    [LoggerMessage(1506, LogLevel.Warning, "Ended the session {Pid} of the role {Role} ({Doing}): its transaction is guarded by the lease with the token {Token} of the lock '{LockName}', which ended {Over} before, and kept the lock from whoever is next.")]
    public static partial void SessionEnded(ILogger logger, int pid, string? role, string doing, long token, string lockName, TimeSpan over);

    [LoggerMessage(1507, LogLevel.Warning, "The lock '{LockName}' waits for the session {Pid} of the role {Role} ({Doing}), whose transaction is guarded by the lease with the token {Token}, which ended {Over} before. This node may not end that session: grant its role the other role, or pg_signal_backend (a superuser's session only a superuser may end), or end it by hand.")]
    public static partial void SessionNotEnded(ILogger logger, string lockName, int pid, string? role, string doing, long token, TimeSpan over);

    [LoggerMessage(1508, LogLevel.Warning, "The lock '{LockName}' waits for the prepared transaction '{Gid}', which is guarded by the lease with the token {Token}, which ended {Over} before. It has no session: commit it or roll it back.")]
    public static partial void TransactionIsPrepared(ILogger logger, string lockName, string? gid, long token, TimeSpan over);
}
