using System.Collections.Frozen;
using System.Diagnostics.CodeAnalysis;
using System.Security.Authentication;
using StackExchange.Redis;

namespace Coordination.Redis.Errors;

/// <summary>
/// Sorts every failure of the server and of its client into transient and final, and says what to do about it. The one place
/// that knows.
/// </summary>
/// <remarks>
/// Transient is what may pass with no change to the program or its configuration, so that a holder keeps trying until its
/// deadline and a waiter keeps waiting. That includes a server that refuses to write (MISCONF, OOM, NOREPLICAS): to a lock it is
/// an outage, although only an operator may end it, so the message tells the operator what to do.
/// </remarks>
internal static class RedisErrorClassifier
{
    /// <summary>
    /// The rights that the store needs of an ACL user; <c>echo</c> is what the client library greets with. Without <c>unsubscribe</c>
    /// a node works as well, and when it ends goes on being told over a connection that was handed in.
    /// </summary>
    public const string RequiredRights =
        "+eval +evalsha +echo +ping +time +publish +subscribe +unsubscribe +exists +del +pexpire +pttl +get +set +setrange "
        + "+hmget +hset +hdel +zadd +zrem +zrange +zrangebyscore +zmscore +zrank";

    /// <summary>What semaphores and reader-writer locks need beside.</summary>
    public const string ShareRights = "+hgetall +zcard";

    private const string ScriptLacksRight = "user executing the script can't";
    private const string IssuedToReplica = "cannot be issued to a replica";
    private const bool Transient = true;
    private const bool Final = false;

    private static readonly FrozenDictionary<string, (bool IsTransient, string Advice)> Codes =
        new Dictionary<string, (bool, string)>(StringComparer.Ordinal)
        {
            ["LOADING"] = (Transient, "The server is loading its data."),
            ["READONLY"] = (Transient, "The server is a replica now. A connection of the store's own is led to the new primary; one that was handed in has to be by the application."),
            ["CLUSTERDOWN"] = (Transient, "The Cluster does not serve this slot for now."),
            ["TRYAGAIN"] = (Transient, "The slot is being moved to another server."),
            ["MOVED"] = (Transient, "The slot was moved to another server."),
            ["ASK"] = (Transient, "The slot is being moved to another server."),
            ["MASTERDOWN"] = (Transient, "The server is a replica and has lost its primary."),
            ["NOSCRIPT"] = (Transient, "The server has forgotten its scripts; they are sent again."),
            ["BUSY"] = (Transient, "A script has been running on the server for too long. If it is not one that ends, use SCRIPT KILL."),
            ["MISCONF"] = (Transient, "The server cannot save its data and refuses to write. Look at its log and its disk, or set stop-writes-on-bgsave-error no."),
            ["OOM"] = (Transient, "The server is out of memory. Raise maxmemory, or give the locks a server of their own."),
            ["NOREPLICAS"] = (Transient, "Fewer replicas are in touch than min-replicas-to-write asks for. Bring them back, or lower it."),
            ["WRONGTYPE"] = (Final, "A key of the lock is in use for something else. Delete it, or set another Coordination:Redis:KeyPrefix."),
            ["NOAUTH"] = (Final, "The server asks for a user and a password, or has refused those it was given. Check them in the connection string."),
            ["WRONGPASS"] = (Final, "The server does not accept the user name or the password. Correct the connection string."),
            ["NOPERM"] = (Final, MissingRight),
            ["CROSSSLOT"] = (Final, "The keys of one script are on several slots of the Cluster."),
        }.ToFrozenDictionary(StringComparer.Ordinal);

    /// <summary>Codes with which a server refuses a command, or the first write of a script, and so has done nothing of it. Of NOPERM see <see cref="IsRefusedWhole"/>.</summary>
    private static readonly FrozenSet<string> RefusedWhole =
        FrozenSet.Create(
            StringComparer.Ordinal,
            "LOADING", "READONLY", "CLUSTERDOWN", "TRYAGAIN", "MOVED", "ASK", "MASTERDOWN", "NOSCRIPT", "BUSY", "MISCONF", "OOM", "NOREPLICAS", "NOAUTH", "WRONGPASS", "CROSSSLOT");

    /// <summary>Failures that have no code of their own, by a part of their text.</summary>
    private static readonly (string Part, bool IsTransient, string Advice)[] Texts =
    [
        ("max number of clients", Transient, "The server has no connection to spare. Raise maxclients, or find who keeps so many."),
        (ScriptLacksRight, Final, MissingRight),
        ("Lua scripting support disabled", Final, "Start Garnet with --lua --lua-transaction-mode."),
        (IssuedToReplica, Transient, "Only a replica is in reach."),
        ("operation not permitted", Final, "The server asks for a user and a password, or has refused those it was given. Check them in the connection string."),
        ("unknown command", Final, MissingCommand),
        ("Unknown Redis command called from script", Final, MissingCommand),
    ];

    private static readonly char[] Separators = [' ', '(', ')', '\r', '\n'];

    private const string MissingCommand = "The server lacks a command, or it was renamed. Redis 6.2 or later, Valkey and Garnet have all that are needed.";

    private const string MissingRight = "The user lacks a right to a command, a key or a channel. It needs: ~{prefix}:* &{prefix}:* " + RequiredRights + "; for semaphores and reader-writer locks " + ShareRights + " as well, on a Cluster +cluster|nodes, to list and inspect locks +scan +zcard, and to wait for replicas +wait.";

    /// <summary>Whether the server refused because the user lacks a right.</summary>
    public static bool IsMissingRight(RedisServerException error) =>
        CodeIn(error.Message) == "NOPERM" || error.Message.Contains(ScriptLacksRight, StringComparison.Ordinal);

    /// <summary>Whether the server refused because the keys of one script are on several slots.</summary>
    public static bool IsOfSeveralSlots(RedisServerException error) => CodeIn(error.Message) == "CROSSSLOT";

    /// <summary>Whether the server refused because some keys of one script were moved to another server already, or because none of them was found.</summary>
    public static bool IsOfMove(RedisServerException error) => CodeIn(error.Message) == "TRYAGAIN";

    /// <summary>Whether the server refused because something else wrote a key, of another type.</summary>
    public static bool IsOfAnotherType(RedisServerException error) => CodeIn(error.Message) == "WRONGTYPE";

    /// <summary>Whether a server refused because it is a replica, or the client because it knows of none that is not.</summary>
    public static bool IsOfReplica(Exception error) =>
        error is RedisServerException or RedisCommandException
            && (CodeIn(error.Message) is "READONLY" or "MASTERDOWN" || error.Message.Contains(IssuedToReplica, StringComparison.Ordinal));

    /// <summary>Sorts a failure.</summary>
    /// <param name="exception">What the client threw.</param>
    /// <param name="subject">What was to be done, such as <c>acquire the lock 'orders'</c>.</param>
    /// <param name="address">Of which server, or servers.</param>
    /// <param name="finding">Why there is no connection to it, where that was found out.</param>
    /// <param name="failure">What the store throws.</param>
    /// <param name="isAsked">Whether the client was asked to send anything, when it threw.</param>
    /// <returns>False for what did not come from the server or its client: a fault of this program.</returns>
    public static bool TryClassify(
        Exception exception, string subject, string address, string? finding, [NotNullWhen(true)] out LockStoreException? failure, bool isAsked = true)
    {
        var mayBeApplied = isAsked && MayBeApplied(exception);
        failure = exception switch
        {
            RedisServerException error => OfServer(error, error.Message, subject, mayBeApplied),
            RedisConnectionException connection => OfConnection(connection, subject, address, finding, mayBeApplied),
            TimeoutException when mayBeApplied => new LockStoreException($"Redis at {address} did not reply in time to {subject}. It may still do it.", Transient, exception) { Cause = $"Redis at {address} did not reply in time." },
            TimeoutException => Away(subject, finding ?? $"no connection to {address} yet", hint: string.Empty, exception, mayBeApplied: false),
            RedisException or RedisCommandException => OfServer(exception, exception.Message, subject, mayBeApplied),
            ObjectDisposedException => new LockStoreException($"The connection to Redis was disposed; cannot {subject}.", Final, exception) { MayBeApplied = mayBeApplied },
            OperationCanceledException => new LockStoreException($"The connection to Redis was closed; cannot {subject} now.", Transient, exception) { MayBeApplied = mayBeApplied },
            _ => null,
        };
        return failure is not null;
    }

    /// <summary>Whether the server may have got it. False where the client had no connection to send it by, had not come to send it, or was told that nothing was done.</summary>
    private static bool MayBeApplied(Exception exception) => exception switch
    {
        RedisConnectionException lost => lost.CommandStatus is not (CommandStatus.WaitingToBeSent or CommandStatus.WaitingInBacklog),
        RedisTimeoutException late => late.Commandstatus is not (CommandStatus.WaitingToBeSent or CommandStatus.WaitingInBacklog),

        // What the client refuses to send.
        RedisCommandException => false,
        RedisServerException refused => !IsRefusedWhole(refused.Message),
        _ => true,
    };

    /// <summary>Whether the server did nothing at all. A right that a script lacks may be one to a later command, after others have written.</summary>
    private static bool IsRefusedWhole(string text) =>
        text.StartsWith("NOPERM ", StringComparison.Ordinal)
            ? !text.Contains("script", StringComparison.OrdinalIgnoreCase)
            : CodeIn(text) is { } code && RefusedWhole.Contains(code);

    private static LockStoreException OfConnection(RedisConnectionException exception, string subject, string address, string? finding, bool mayBeApplied)
    {
        // What the server or the client refuses on connecting, such as the password or the certificate, ends the connection: it shows
        // as a lost one whose cause lies further in.
        var isUntrusted = exception.FailureType == ConnectionFailureType.AuthenticationFailure;
        for (Exception? cause = exception; cause is not null; cause = cause.InnerException)
        {
            if (CodeIn(cause.Message) is { } code)
            {
                var (isTransient, advice) = Codes[code];
                return new LockStoreException($"Redis at {address} refused the connection; cannot {subject}: {code}. {advice}", isTransient, exception)
                {
                    MayBeApplied = mayBeApplied,
                    Cause = $"Redis at {address} refused the connection: {code}. {advice}",
                };
            }

            isUntrusted |= cause is AuthenticationException;
        }

        return isUntrusted
            ? new LockStoreException($"Redis at {address} refused the connection; cannot {subject}. Check the user name, the password and the certificates.", Final, exception) { MayBeApplied = mayBeApplied }
            : Away(subject, finding ?? $"no connection to {address} ({exception.FailureType})", HintIn(exception.Message), exception, mayBeApplied);
    }

    private static LockStoreException Away(string subject, string cause, string hint, Exception exception, bool mayBeApplied) =>
        new($"Redis is away; cannot {subject} now: {cause}.{hint}", Transient, exception) { MayBeApplied = mayBeApplied, Cause = $"{cause}.{hint}" };

    /// <summary>The client knows a server of a Cluster by its refusals alone, and so has no connection to it.</summary>
    private static string HintIn(string text) =>
        text.Contains("serving hashslot", StringComparison.Ordinal)
            ? " If it stays so, the user may lack the right +cluster|nodes, by which the client finds the other servers of a Cluster."
            : string.Empty;

    private static LockStoreException OfServer(Exception exception, string text, string subject, bool mayBeApplied)
    {
        if (CodeIn(text) is { } code)
        {
            return Refusal(Codes[code]);
        }

        foreach (var (part, isTransient, advice) in Texts)
        {
            if (text.Contains(part, StringComparison.OrdinalIgnoreCase))
            {
                return Refusal((isTransient, advice));
            }
        }

        return Refusal((Final, "This is not expected of the server."));

        LockStoreException Refusal((bool IsTransient, string Advice) sort) =>
            new($"Redis refused to {subject}: {text.TrimEnd('.')}. {sort.Advice}", sort.IsTransient, exception)
            {
                MayBeApplied = mayBeApplied,
                Cause = $"Redis refuses: {text.TrimEnd('.')}. {sort.Advice}",
            };
    }

    /// <summary>
    /// The code of an error, also of one inside a script: there it follows a dash (<c>ERR Error running script … -READONLY You can't…</c>)
    /// or stands first all the same, depending on the server's version.
    /// </summary>
    private static string? CodeIn(string text)
    {
        foreach (var word in text.Split(Separators, StringSplitOptions.RemoveEmptyEntries))
        {
            var code = word.TrimStart('-');
            if (Codes.ContainsKey(code))
            {
                return code;
            }
        }

        return null;
    }
}
