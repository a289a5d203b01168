using System.Collections.Frozen;
using System.Diagnostics.CodeAnalysis;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Text.Json;
using Npgsql;

namespace Coordination.PostgreSql.Errors;

/// <summary>Sorts every failure of the server and of its client into transient and final, and says what to do about it. The one place that knows.</summary>
/// <remarks>
/// Transient is what may pass with no change to the program or its configuration, so that a holder keeps trying until its deadline and a waiter keeps waiting. That includes a
/// server whose disk is full: to a lock it is an outage, although only an operator may end it, so the message tells the operator what to do.
/// </remarks>
internal static class PostgreSqlErrorClassifier
{
    /// <summary>What <c>guard</c> raises of a grant that has ended.</summary>
    public const string GrantHasEnded = "CF001";

    private const string IdleSession = "57P05";
    private const string LockNotAvailable = "55P03";
    private const string TakesNoWrites = "25006";
    private const string Collision = "40001";
    private const string Deadlock = "40P01";
    private const string MoreConnections = "Raise Coordination:PostgreSql:MaxConnections, or 'Maximum Pool Size' of the NpgsqlDataSource that the store was given; one for renewals and one for notifications stay open.";
    private const bool Transient = true;
    private const bool Final = false;

    private static readonly FrozenDictionary<string, (bool IsTransient, string Advice)> Codes = new Dictionary<string, (bool, string)>(StringComparer.Ordinal)
    {
        [TakesNoWrites] = (Transient, "The server takes no writes: it is a standby, or the database is read-only. Give a connection string that leads to the primary, such as one with all hosts in it."),
        ["25P03"] = (Transient, "The server ended the session, because this node was paused inside a transaction."),
        [Collision] = (Transient, "The transaction collided with another one."),
        [Deadlock] = (Transient, "The server ended a deadlock by this transaction. Something else locks the store's rows in another order; leave them to the store."),
        ["53100"] = (Transient, "The server's disk is full. Make room."),
        ["53200"] = (Transient, "The server is out of memory."),
        ["53300"] = (Transient, "The server has no connection to spare. Raise max_connections, or lower Coordination:PostgreSql:MaxConnections."),
        ["53400"] = (Transient, "A limit of the server's configuration is reached."),
        [LockNotAvailable] = (Transient, "Somebody else keeps the lock's row locked: another node that works on it, a transaction that the last lease guards, or a session that locks the store's rows by hand; or a whole table, as VACUUM FULL, CLUSTER and ALTER TABLE do."),
        ["57014"] = (Transient, "The statement was cancelled, by its time limit or by an operator."),
        ["57P01"] = (Transient, "The server shuts down, or an operator ended the session."),
        ["57P02"] = (Transient, "Another process of the server crashed, and it starts anew."),
        ["57P03"] = (Transient, "The server is starting up or shutting down."),
        [IdleSession] = (Transient, "The server ended a session that was idle for too long."),
        ["58030"] = (Transient, "The server cannot read or write its files. Look at its log and its disk."),
        ["28000"] = (Final, "The server does not let this user in. Check the user name, pg_hba.conf and whether the server demands TLS."),
        ["28P01"] = (Final, "The server does not accept the password. Correct the connection string."),
        ["3D000"] = (Final, "There is no such database. Make it, or correct the connection string."),
        ["3F000"] = (Final, MissingTables),
        ["42P01"] = (Final, MissingTables),
        ["42703"] = (Final, OtherTables),
        ["42883"] = (Final, OtherTables),
        ["42501"] = (Final, "The user lacks a right. It needs USAGE of the schema and SELECT, INSERT, UPDATE and DELETE of its tables; to make them, CREATE in the database."),
        ["22P05"] = (Final, OtherEncoding),
        ["22021"] = (Final, OtherEncoding),
        ["42704"] = (Final, "The server does not know a setting that the connection string names in Options. Correct it there."),
        [GrantHasEnded] = (Final, "The lease is not current any more."),
    }.ToFrozenDictionary(StringComparer.Ordinal);

    private const string OtherEncoding = "A name or a note has a character that the encoding of the database does not have. Keep the locks in a database with the encoding UTF8, or name them without it.";
    private const string MissingTables = "The store's tables are missing. Set Coordination:PostgreSql:CreateSchema, or run schema.sql of the package, and mind Coordination:PostgreSql:Schema.";
    private const string OtherTables = "The store's tables are of another version. Bring all nodes to one version, and run schema.sql of the package again.";

    /// <summary>Whether the server refused because somebody else has the row.</summary>
    public static bool IsOfLockedRow(Exception error) => error is PostgresException { SqlState: LockNotAvailable };

    /// <summary>Whether the server had ended the session because nobody used it: nothing that was sent since was done, and another connection does.</summary>
    public static bool IsOfIdleSession(PostgresException error) => error.SqlState == IdleSession;

    /// <summary>Whether a transaction that says what it needs would not have failed: the session's own default is another isolation level, or to write nothing.</summary>
    public static bool IsOfDefaults(PostgresException error) => error.SqlState is TakesNoWrites or Collision;

    /// <summary>Sorts a failure.</summary>
    /// <param name="exception">What the client threw.</param>
    /// <param name="subject">What was to be done, such as <c>acquire the lock 'orders'</c>.</param>
    /// <param name="address">Of which server, or servers.</param>
    /// <param name="isCommitSent">Whether it was asked to commit.</param>
    /// <param name="failure">What the store throws.</param>
    /// <returns>False for what did not come from the server or its client: a fault of this program.</returns>
    public static bool TryClassify(Exception exception, string subject, string address, bool isCommitSent, [NotNullWhen(true)] out LockStoreException? failure)
    {
        var mayBeApplied = isCommitSent && !IsRolledBack(exception);
        failure = exception switch
        {
            PostgresException refused => OfServer(refused, subject, address, mayBeApplied),
            NpgsqlException none when none.Message.Contains("pool has been exhausted", StringComparison.Ordinal) => Failure(
                $"All connections to PostgreSQL at {address} are in use; cannot {subject} now. {MoreConnections}", Transient, exception, mayBeApplied: false, $"all connections to {address} are in use. {MoreConnections}"),
            NpgsqlException { InnerException: TimeoutException } or TimeoutException => Failure(
                isCommitSent ? $"PostgreSQL at {address} did not reply in time to {subject}. It may still do it." : $"PostgreSQL at {address} did not reply in time to {subject}.",
                Transient, exception, mayBeApplied, $"PostgreSQL at {address} did not reply in time."),
            NpgsqlException { InnerException: PostgresException refused } => OfServer(refused, subject, address, mayBeApplied),
            NpgsqlException refused when AdviceOf(refused) is { } advice => Failure(
                $"There is no session of PostgreSQL at {address}; cannot {subject}: {advice}", Final, exception, mayBeApplied: false, $"there is no session of PostgreSQL at {address}: {advice}"),
            NpgsqlException or SocketException or IOException => Away(exception, subject, address, mayBeApplied),
            ObjectDisposedException => Failure($"The connections to PostgreSQL were disposed; cannot {subject}.", Final, exception, mayBeApplied, cause: null),
            OperationCanceledException => Failure($"The connection to PostgreSQL was closed; cannot {subject} now.", Transient, exception, mayBeApplied, cause: null),
            UnreadableRowException row => Failure($"Cannot {subject}: something else wrote the row of the lock '{row.LockName}'. Delete it, or set another Coordination:PostgreSql:Schema.", Final, exception, mayBeApplied: false, cause: null),
            JsonException or FormatException => Failure($"Cannot {subject}: something else wrote its row. Delete it, or set another Coordination:PostgreSql:Schema.", Final, exception, mayBeApplied: false, cause: null),
            _ => null,
        };
        return failure is not null;
    }

    /// <summary>What the client finds out by itself before there is a session, and what no later try changes; null for what may be an outage.</summary>
    private static string? AdviceOf(NpgsqlException exception) => exception switch
    {
        { InnerException: AuthenticationException certificate } => $"its certificate is not accepted: {certificate.Message} Correct 'Root Certificate', 'SSL Mode' or the certificate.",
        _ when exception.Message.Contains("SSL connection requested", StringComparison.Ordinal) => "the connection string demands TLS by 'SSL Mode', and the server has none. Turn on ssl there, or set another 'SSL Mode'.",
        _ when exception.Message.Contains("encryption requested. No", StringComparison.Ordinal) => "the connection string demands encryption by GSS, and the server has none. Set another 'GSS Encryption Mode'.",
        _ when exception.Message.Contains("No password has been provided", StringComparison.Ordinal) => "it demands a password, and there is none. Give one in the connection string.",
        _ => null,
    };

    /// <summary>What the server said no to was rolled back. What ended the session may have come after the commit.</summary>
    private static bool IsRolledBack(Exception exception) =>
        exception is PostgresException { SqlState: { } state, Severity: not ("FATAL" or "PANIC") } && !state.StartsWith("08", StringComparison.Ordinal) && state is not ("57P01" or "57P02" or "57P03");

    private static LockStoreException OfServer(PostgresException refused, string subject, string address, bool mayBeApplied)
    {
        var (isTransient, advice) = Codes.TryGetValue(refused.SqlState, out var known) ? known
            : refused.SqlState.StartsWith("08", StringComparison.Ordinal) || refused.SqlState.StartsWith("53", StringComparison.Ordinal) || refused.SqlState.StartsWith("57", StringComparison.Ordinal) || refused.SqlState.StartsWith("58", StringComparison.Ordinal)
                ? (Transient, "The server cannot do it now.")
            : refused.SqlState == "0A000" && refused.MessageText.Contains("recovery", StringComparison.Ordinal) ? Codes[TakesNoWrites]
            : (Final, "This is not expected of the server.");
        var said = $"{refused.SqlState}: {refused.MessageText.TrimEnd('.')}. {advice}";
        return new LockStoreException($"PostgreSQL at {address} refused to {subject}: {said}", isTransient, refused)
        {
            MayBeApplied = mayBeApplied,
            Cause = $"PostgreSQL at {address} refuses: {said}",
            IsLockBusy = refused.SqlState is LockNotAvailable or Deadlock,
        };
    }

    private static LockStoreException Away(Exception exception, string subject, string address, bool mayBeApplied)
    {
        var cause = Innermost(exception) switch
        {
            SocketException { SocketErrorCode: SocketError.ConnectionRefused } => $"cannot connect to {address}: connection refused.",
            SocketException { SocketErrorCode: SocketError.HostNotFound or SocketError.TryAgain or SocketError.NoData } => $"cannot connect to {address}: host not found.",
            SocketException socket => $"the connection to {address} failed: {socket.SocketErrorCode}.",
            _ => $"no connection to {address}.",
        };
        return Failure($"PostgreSQL is away; cannot {subject} now: {cause}", Transient, exception, mayBeApplied, cause);
    }

    private static Exception Innermost(Exception exception)
    {
        while (exception.InnerException is { } inner)
        {
            exception = inner;
        }

        return exception;
    }

    private static LockStoreException Failure(string message, bool isTransient, Exception inner, bool mayBeApplied, string? cause) =>
        new(message, isTransient, inner) { MayBeApplied = mayBeApplied, Cause = cause };
}
