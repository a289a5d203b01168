using System.Data;
using System.Data.Common;
using System.Diagnostics;
using Coordination.PostgreSql.Connections;
using Coordination.PostgreSql.Errors;
using Coordination.PostgreSql.Transactions;
using Coordination.Stores;
using Npgsql;

namespace Coordination.PostgreSql.Stores;

/// <content>Transactions of users that commit only while a grant stands.</content>
internal sealed partial class PostgreSqlLockStore
{
    private const string Guarding = "guard a transaction by the lock";

    /// <summary>By what a transaction is known to be on the database of the locks: the identity of the tables, and the database, for a copy of it has the same tables.</summary>
    private volatile string? _identity;

    public async Task<bool> PrepareGuardAsync(GuardRequest request, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(request);
        if (_database.IsShared)
        {
            return await PrepareBesidePoolAsync(request, cancellationToken).ConfigureAwait(false);
        }

        return await TransactAsync<bool>(
            [request.LockName],
            Guarding,
            make: false,
            withShares: true,
            request.LeaseDuration,
            (rows, transaction) => (Prepare(request, rows, transaction), []),
            cancellationToken).ConfigureAwait(false);
    }

    public async Task<bool> GuardAsync(GuardRequest request, DbTransaction transaction, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(request);
        Accept(transaction);
        var guarded = (NpgsqlTransaction)transaction;

        // A paused holder keeps others waiting for as long as its session may idle inside a transaction.
        var idle = (int)Math.Clamp(request.LeaseDuration.TotalMilliseconds, 1, int.MaxValue);
        try
        {
            using var command = new NpgsqlCommand(_statements.Guard, guarded.Connection, guarded) { CommandTimeout = _limits.CommandSeconds };
            command.Parameters.Add(LockTransaction.Text(request.LockName));
            command.Parameters.Add(LockTransaction.Number(request.FencingToken));
            command.Parameters.Add(new NpgsqlParameter<int> { TypedValue = idle });
            command.Parameters.Add(LockTransaction.Text(_identity));
            await command.ExecuteNonQueryAsync(cancellationToken).ConfigureAwait(false);
            return true;
        }
        catch (InvalidOperationException ended)
        {
            // So the client says it, wherever it finds out.
            throw GuardErrors.Ended(nameof(transaction), ended);
        }
        catch (NpgsqlOperationInProgressException busy)
        {
            throw GuardErrors.Busy(busy);
        }
        catch (PostgresException ended) when (ended.SqlState == PostgreSqlErrorClassifier.GrantHasEnded)
        {
            return false;
        }
        catch (PostgresException refused) when (GuardErrors.TryClassify(refused, Elsewhere(request, guarded), nameof(transaction), out var failure))
        {
            throw failure;
        }
        catch (Exception e) when (IsOfTheServer(e, Guarding, request.LockName, isCommitSent: false, cancellationToken, out var failure))
        {
            throw failure;
        }
    }

    public void Accept(DbTransaction transaction)
    {
        ArgumentNullException.ThrowIfNull(transaction);
        if (transaction is not NpgsqlTransaction guarded)
        {
            throw new ArgumentException(
                $"The transaction is a {transaction.GetType()}. Give an NpgsqlTransaction on the store's database; that of an EF Core context is context.Database.CurrentTransaction!.GetDbTransaction(), of the namespace Microsoft.EntityFrameworkCore.Storage.",
                nameof(transaction));
        }

        var connection = ConnectionOf(guarded) ?? throw GuardErrors.Ended(nameof(transaction), inner: null);
        if (connection.FullState != ConnectionState.Open)
        {
            throw GuardErrors.Busy(inner: null);
        }
    }

    public async Task RefuseAsync(DbTransaction transaction)
    {
        if (transaction is not NpgsqlTransaction refused || ConnectionOf(refused) is not { } connection)
        {
            return;
        }

        var begunAt = Stopwatch.GetTimestamp();
        while (true)
        {
            try
            {
                // What an error alone leaves can be rolled back to a savepoint, and go on. Of the transaction that is begun here nothing but the failure is left.
                using var batch = new NpgsqlBatch(connection, refused) { Timeout = _limits.CommandSeconds };
                batch.BatchCommands.Add(new NpgsqlBatchCommand(Statements.Rollback));
                batch.BatchCommands.Add(new NpgsqlBatchCommand(Statements.Begin));
                batch.BatchCommands.Add(new NpgsqlBatchCommand(Statements.Fail));
                await batch.ExecuteNonQueryAsync().ConfigureAwait(false);
                return;
            }
            catch (PostgresException failed) when (failed.SqlState == GuardErrors.IsRefused)
            {
                return;
            }
            catch (InvalidOperationException)
            {
                // It has ended, or its connection has.
                return;
            }
            catch (NpgsqlOperationInProgressException) when (Stopwatch.GetElapsedTime(begunAt) < _limits.Command)
            {
                await Task.Delay(ShortPause).ConfigureAwait(false);
            }
            catch (Exception lost) when (lost is NpgsqlException or OperationCanceledException or TimeoutException or IOException)
            {
                // Nobody knows what the server has done of that, and it commits nothing of a connection that is closed.
                await connection.CloseAsync().WaitAsync(_limits.Command).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
                return;
            }
        }
    }

    /// <returns>Null where the transaction has ended, or its connection has.</returns>
    private static NpgsqlConnection? ConnectionOf(NpgsqlTransaction transaction)
    {
        try
        {
            // One that has ended keeps its connection and nothing else.
            _ = transaction.IsolationLevel;
            return transaction.Connection is { } connection && connection.FullState.HasFlag(ConnectionState.Open) ? connection : null;
        }
        catch (InvalidOperationException)
        {
            return null;
        }
    }

    private string Elsewhere(GuardRequest request, NpgsqlTransaction transaction)
    {
        var (theirs, ours) = (ConnectionOf(transaction), _identity);
        var database = ours is null ? "another database" : $"the database '{ours[(ours.IndexOf('@', StringComparison.Ordinal) + 1)..]}'";
        return $"The transaction is on the database '{theirs?.Database}' at {theirs?.Host}:{theirs?.Port}, which does not keep the lock '{request.LockName}': that is in {database} at {_database.Address}.";
    }

    /// <summary>
    /// Whoever is to be guarded has a connection already, of a pool that is the application's: as many as it has would wait for one more, each for the others. So this goes by the
    /// connection of the renewals, which the store has, and waits for no row there.
    /// </summary>
    private async Task<bool> PrepareBesidePoolAsync(GuardRequest request, CancellationToken cancellationToken)
    {
        if (!_isFit)
        {
            await EnsureFitAsync(cancellationToken).ConfigureAwait(false);
        }

        var (begunAt, pause) = (Stopwatch.GetTimestamp(), ShortPause);
        var patience = _limits.PatienceFor(request.LeaseDuration);
        while (true)
        {
            cancellationToken.ThrowIfCancellationRequested();
            if (await _renewals.RunAsync(connection => TryPrepare(request, connection), $"{Guarding} '{request.LockName}'").WaitAsync(cancellationToken).ConfigureAwait(false) is { } stands)
            {
                return stands;
            }

            if (Stopwatch.GetElapsedTime(begunAt) > patience)
            {
                throw new LockStoreException($"Cannot {Guarding} '{request.LockName}' now: somebody else keeps its row locked.", isTransient: true) { MayBeApplied = false, IsLockBusy = true };
            }

            await Task.Delay(pause, cancellationToken).ConfigureAwait(false);
            pause *= 2;
        }
    }

    /// <summary>Blocks its thread.</summary>
    /// <returns>Null where somebody else has locked the row.</returns>
    private bool? TryPrepare(GuardRequest request, NpgsqlConnection connection)
    {
        var transaction = new LockTransaction(connection, _statements, _limits) { LockTimeout = TransactionLimits.BriefLockTimeout };
        bool? stands = null;
        try
        {
            var rows = Renewals.Completed(transaction.BeginAsync([request.LockName], make: false, withShares: true, skipsLocked: true));
            stands = rows.Has(request.LockName) ? Prepare(request, rows, transaction) : Exists(request.LockName, connection) ? null : false;
        }
        catch (PostgresException locked) when (PostgreSqlErrorClassifier.IsOfLockedRow(locked))
        {
            // One of a share.
        }

        if (transaction.HasToCommit)
        {
            Renewals.Completed(transaction.CommitAsync());
        }
        else
        {
            using var rollback = new NpgsqlCommand(Statements.Rollback, connection) { CommandTimeout = _limits.CommandSeconds };
            rollback.ExecuteNonQuery();
        }

        return stands;
    }

    private bool Exists(string lockName, NpgsqlConnection connection)
    {
        using var look = new NpgsqlCommand(_statements.Existing, connection) { CommandTimeout = _limits.CommandSeconds };
        look.Parameters.Add(LockTransaction.Texts([lockName]));
        return look.ExecuteScalar() is not null;
    }

    /// <returns>Whether the grant stands.</returns>
    private bool Prepare(GuardRequest request, LockRows rows, LockTransaction transaction)
    {
        var stands = rows[request.LockName].State.Grants.Any(grant =>
            grant.FencingToken == request.FencingToken && grant.Owner == request.Owner && !grant.IsReleased && grant.LastsUntil > rows.Now);
        if (stands)
        {
            transaction.AddWrite(_statements.MakeFence, identity => _identity = identity, LockTransaction.Text(request.LockName), LockTransaction.Number(request.FencingToken));
            transaction.AddWrite(_statements.MarkGuarded, LockTransaction.Text(request.LockName));
        }

        return stands;
    }
}
