using Npgsql;

namespace Coordination.PostgreSql.Transactions;

/// <summary>One statement in a transaction of its own, which names its isolation level and that it writes: defaults of the server, the database or the role change nothing.</summary>
internal static class ShortTransaction
{
    /// <summary>Runs it, in one round trip.</summary>
    /// <param name="connection">Open, and in no transaction.</param>
    /// <param name="timeoutSeconds">How long it may take.</param>
    /// <param name="text">The statement.</param>
    /// <param name="parameters">Its parameters.</param>
    /// <param name="read">Is given each row; null where nobody wants them.</param>
    /// <returns>How many rows it wrote.</returns>
    public static async Task<int> RunAsync(NpgsqlConnection connection, int timeoutSeconds, string text, NpgsqlParameter[] parameters, Action<NpgsqlDataReader>? read)
    {
        using var batch = new NpgsqlBatch(connection) { Timeout = timeoutSeconds };
        var statement = new NpgsqlBatchCommand(text);
        statement.Parameters.AddRange(parameters);
        batch.BatchCommands.Add(new NpgsqlBatchCommand(Statements.Begin));
        batch.BatchCommands.Add(statement);
        batch.BatchCommands.Add(new NpgsqlBatchCommand(Statements.Commit));
        var reader = await batch.ExecuteReaderAsync().ConfigureAwait(false);
        await using (reader.ConfigureAwait(false))
        {
            while (read is not null && await reader.ReadAsync().ConfigureAwait(false))
            {
                read(reader);
            }

            while (await reader.NextResultAsync().ConfigureAwait(false))
            {
                // What fails later fails here, such as the commit.
            }
        }

        return statement.RecordsAffected;
    }
}
