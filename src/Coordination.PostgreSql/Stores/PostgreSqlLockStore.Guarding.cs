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
        ArgumentNullException.ThrowIfNull(transaction);
        if (transaction is not NpgsqlTransaction guarded)
        {
            throw new ArgumentException(
                $"The transaction is a {transaction.GetType()}. Give an NpgsqlTransaction on the store's database; that of an EF Core context is context.Database.CurrentTransaction.GetDbTransaction().",
                nameof(transaction));
        }

        // A paused holder keeps others waiting for as long as its session may idle inside a transaction.
        var idle = (int)Math.Clamp(request.LeaseDuration.TotalMilliseconds, 1, int.MaxValue);
        try
        {
            using var command = new NpgsqlCommand(_statements.Guard, guarded.Connection, guarded) { CommandTimeout = _limits.CommandSeconds };
            command.Parameters.Add(LockTransaction.Text(request.LockName));
            command.Parameters.Add(LockTransaction.Number(request.FencingToken));
            command.Parameters.Add(new NpgsqlParameter<int> { TypedValue = idle });
            await command.ExecuteNonQueryAsync(cancellationToken).ConfigureAwait(false);
            return true;
        }
        catch (InvalidOperationException ended)
        {
            // So the client says it, wherever it finds out.
            throw new ArgumentException("The transaction has ended, so nothing of it can be guarded any more. Guard it before its commit.", nameof(transaction), ended);
        }
        catch (PostgresException ended) when (ended.SqlState == PostgreSqlErrorClassifier.GrantHasEnded)
        {
            return false;
        }
        catch (Exception e) when (IsOfTheServer(e, Guarding, request.LockName, isCommitSent: false, cancellationToken, out var failure))
        {
            throw failure;
        }
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
            transaction.AddWrite(_statements.MakeFence, LockTransaction.Text(request.LockName), LockTransaction.Number(request.FencingToken));
            transaction.AddWrite(_statements.MarkGuarded, LockTransaction.Text(request.LockName));
        }

        return stands;
    }
}
