using System.Diagnostics.CodeAnalysis;
using Npgsql;

namespace Coordination.PostgreSql.Errors;

/// <summary>Why a transaction cannot be guarded that is at fault itself, rather than the server or the grant.</summary>
internal static class GuardErrors
{
    /// <summary>What a transaction is failed with that was to be guarded and is not.</summary>
    public const string IsRefused = "CF000";

    private const string IsElsewhere = "CF002";
    private const string HasSavepoint = "CF003";
    private const string IsReadOnly = "CF004";
    private const string HasFailed = "25P02";
    private const string NoSchema = "3F000";
    private const string NoFunction = "42883";

    /// <summary>Says what to do about a transaction that the server did not guard.</summary>
    /// <param name="refused">What the server said.</param>
    /// <param name="elsewhere">Which database the transaction is on, and which keeps the lock.</param>
    /// <param name="parameter">Where the transaction was given.</param>
    /// <param name="failure">What to throw.</param>
    /// <returns>False where the transaction is not to blame.</returns>
    public static bool TryClassify(PostgresException refused, string elsewhere, string parameter, [NotNullWhen(true)] out Exception? failure)
    {
        failure = refused.SqlState switch
        {
            // The store has looked at its own tables before.
            IsElsewhere or NoSchema or NoFunction => new ArgumentException($"{elsewhere} Begin the transaction on a connection to the database of the lock, or have UsePostgreSql keep the locks in the transaction's.", parameter, refused),
            HasFailed => new ArgumentException("A statement of the transaction has failed before, or an earlier guard of it, so it cannot commit, and there is nothing to guard. Roll it back, and begin another.", parameter, refused),
            IsReadOnly => new ArgumentException("The transaction is read-only, so it has nothing to guard. Begin it READ WRITE, or look whether default_transaction_read_only is on for its role or its database.", parameter, refused),
            HasSavepoint => new InvalidOperationException("A savepoint of the transaction is open, and a rollback to it would undo the guard. Guard before the first savepoint, or after the savepoint is released. This transaction cannot commit any more.", refused),
            _ => null,
        };
        return failure is not null;
    }

    /// <summary>That a transaction has ended, as the client found out.</summary>
    public static ArgumentException Ended(string parameter, Exception? inner) =>
        new("The transaction has ended, so nothing of it can be guarded any more. Guard it before its commit.", parameter, inner);

    /// <summary>That a command of its own is under way.</summary>
    public static InvalidOperationException Busy(Exception? inner) =>
        new("The connection of the transaction is in use: a reader on it is open, or a command under way. Close the reader, or wait for the command, and guard the transaction then.", inner);
}
