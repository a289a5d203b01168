using System.Data.Common;
using Coordination.PostgreSql.Errors;
using Coordination.Stores;
using Npgsql;

namespace Coordination.PostgreSql.Stores;

/// <content>Transactions of users that commit only while a grant stands.</content>
internal sealed partial class PostgreSqlLockStore
{
    public async Task<bool> PrepareGuardAsync(GuardRequest request, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(request);
        return await TransactAsync<bool>(
            [request.LockName],
            "guard a transaction by the lock",
            make: false,
            withShares: true,
            request.LeaseDuration,
            (rows, transaction) =>
            {
                var row = rows[request.LockName];
                var stands = row.State.Grants.Any(grant =>
                    grant.FencingToken == request.FencingToken && grant.Owner == request.Owner && !grant.IsReleased && grant.LastsUntil > rows.Now);
                if (stands)
                {
                    transaction.AddWrite(_statements.MakeFence, LockTransaction.Text(request.LockName), LockTransaction.Number(request.FencingToken));
                    transaction.AddWrite(_statements.MarkGuarded, LockTransaction.Text(request.LockName));
                }

                return (stands, []);
            },
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
        catch (Exception e) when (IsOfTheServer(e, "guard a transaction by the lock", request.LockName, isCommitSent: false, cancellationToken, out var failure))
        {
            throw failure;
        }
    }
}
