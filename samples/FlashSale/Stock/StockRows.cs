using Coordination;
using Npgsql;

namespace FlashSale.Stock;

/// <summary>A segment in PostgreSQL. No column has a fencing token, and nothing keeps an item from being sold twice.</summary>
internal sealed class StockRows(NpgsqlDataSource database, string schema, string sale, int number) : IStockSegment
{
    /// <summary>What the server says to a session that it ended because it did nothing inside a transaction.</summary>
    private const string IdleInTransaction = "25P03";

    public string Name { get; } = $"{sale}:{number}";

    public static async Task MakeTablesAsync(NpgsqlDataSource database, string schema, CancellationToken cancellationToken)
    {
        await using var command = database.CreateCommand($"""
            CREATE SCHEMA {schema};
            CREATE TABLE {schema}.stock (segment text PRIMARY KEY, remaining integer NOT NULL);
            CREATE TABLE {schema}.ledger (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, segment text NOT NULL, item integer NOT NULL, buyer integer NOT NULL);
            """);
        await command.ExecuteNonQueryAsync(cancellationToken);
    }

    public static async Task DropTablesAsync(NpgsqlDataSource database, string schema)
    {
        await using var command = database.CreateCommand($"DROP SCHEMA IF EXISTS {schema} CASCADE");
        await command.ExecuteNonQueryAsync();
    }

    public async Task FillAsync(int items)
    {
        await using var command = database.CreateCommand($"INSERT INTO {schema}.stock (segment, remaining) VALUES ($1, $2)");
        command.Parameters.Add(new NpgsqlParameter<string> { TypedValue = Name });
        command.Parameters.Add(new NpgsqlParameter<int> { TypedValue = items });
        await command.ExecuteNonQueryAsync();
    }

    public async Task<int> ReadAsync()
    {
        await using var command = database.CreateCommand($"SELECT remaining FROM {schema}.stock WHERE segment = $1");
        command.Parameters.Add(new NpgsqlParameter<string> { TypedValue = Name });
        return (int)(await command.ExecuteScalarAsync())!;
    }

    public async Task WriteAsync(int left, SaleRecord sold)
    {
        await using var connection = await database.OpenConnectionAsync();
        await using var transaction = await connection.BeginTransactionAsync();
        await WriteAsync(transaction, left, sold);
        await transaction.CommitAsync();
    }

    /// <summary>The same, unless the lease is current no more: then the transaction cannot commit.</summary>
    /// <param name="left">What is left.</param>
    /// <param name="sold">What was sold, to whom.</param>
    /// <param name="lease">What its holder believes to hold.</param>
    /// <param name="beforeCommit">What happens inside the transaction, when it is guarded.</param>
    /// <param name="cancellationToken">Ends it with nothing written.</param>
    /// <returns>Whether it was written.</returns>
    public async Task<bool> WriteGuardedAsync(int left, SaleRecord sold, ILease lease, Func<Task> beforeCommit, CancellationToken cancellationToken)
    {
        await using var connection = await database.OpenConnectionAsync(cancellationToken);
        await using var transaction = await connection.BeginTransactionAsync(cancellationToken);
        await WriteAsync(transaction, left, sold);
        try
        {
            await lease.GuardAsync(transaction, cancellationToken);
        }
        catch (Exception e) when (e is LeaseLostException or LockStoreException { IsTransient: true })
        {
            // Another may have the lock, or it cannot be told: nothing was written, and the buyer may try again.
            return false;
        }

        await beforeCommit();
        try
        {
            await transaction.CommitAsync(cancellationToken);
            return true;
        }
        catch (PostgresException e) when (e.SqlState == IdleInTransaction)
        {
            // The server has ended the session of a holder that was paused for a lease, and the transaction with it.
            return false;
        }
    }

    public async Task<IReadOnlyList<SaleRecord>> ReadLedgerAsync()
    {
        await using var command = database.CreateCommand($"SELECT item, buyer FROM {schema}.ledger WHERE segment = $1 ORDER BY id");
        command.Parameters.Add(new NpgsqlParameter<string> { TypedValue = Name });
        await using var reader = await command.ExecuteReaderAsync();
        List<SaleRecord> ledger = [];
        while (await reader.ReadAsync())
        {
            ledger.Add(new SaleRecord(reader.GetInt32(0), reader.GetInt32(1)));
        }

        return ledger;
    }

    public async Task ClearAsync()
    {
        foreach (var table in (string[])["stock", "ledger"])
        {
            await using var command = database.CreateCommand($"DELETE FROM {schema}.{table} WHERE segment = $1");
            command.Parameters.Add(new NpgsqlParameter<string> { TypedValue = Name });
            await command.ExecuteNonQueryAsync();
        }
    }

    private async Task WriteAsync(NpgsqlTransaction transaction, int left, SaleRecord sold)
    {
        await using var batch = new NpgsqlBatch(transaction.Connection, transaction);
        var stock = new NpgsqlBatchCommand($"UPDATE {schema}.stock SET remaining = $2 WHERE segment = $1");
        stock.Parameters.Add(new NpgsqlParameter<string> { TypedValue = Name });
        stock.Parameters.Add(new NpgsqlParameter<int> { TypedValue = left });
        batch.BatchCommands.Add(stock);
        var ledger = new NpgsqlBatchCommand($"INSERT INTO {schema}.ledger (segment, item, buyer) VALUES ($1, $2, $3)");
        ledger.Parameters.Add(new NpgsqlParameter<string> { TypedValue = Name });
        ledger.Parameters.Add(new NpgsqlParameter<int> { TypedValue = sold.Item });
        ledger.Parameters.Add(new NpgsqlParameter<int> { TypedValue = sold.Buyer });
        batch.BatchCommands.Add(ledger);
        await batch.ExecuteNonQueryAsync();
    }
}
