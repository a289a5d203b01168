using Npgsql;

namespace Coordination.Benchmarks.Peers.Postgres;

/// <summary>The least where the client decides: a round trip that locks the row and reads it, and one that writes it and commits. Twice, for an acquisition and a release.</summary>
internal sealed class BareTransactions(NpgsqlDataSource database, TimeSpan lease) : ILockPeer
{
    private const string Begin = "BEGIN";
    private const string Commit = "COMMIT";
    private const string Make = "INSERT INTO bare (name) VALUES ($1) ON CONFLICT DO NOTHING";
    private const string Read = "SELECT owner FROM bare WHERE name = $1 FOR NO KEY UPDATE";
    private const string Clock = "SELECT clock_timestamp()";
    private const string Write = "UPDATE bare SET owner = $2, lasts_until = $3 WHERE name = $1";

    public async Task<IAsyncDisposable> AcquireAsync(string name)
    {
        var owner = Guid.NewGuid().ToString("N");
        await ChangeAsync(name, isNew: true, owner);
        return new Held(this, name);
    }

    public ValueTask DisposeAsync() => database.DisposeAsync();

    private async Task ChangeAsync(string name, bool isNew, string? owner)
    {
        await using var connection = await database.OpenConnectionAsync();
        await using var first = new NpgsqlBatch(connection);
        first.BatchCommands.Add(new NpgsqlBatchCommand(Begin));
        if (isNew)
        {
            first.BatchCommands.Add(Of(Make, Text(name)));
        }

        first.BatchCommands.Add(Of(Read, Text(name)));
        first.BatchCommands.Add(new NpgsqlBatchCommand(Clock));
        var now = default(DateTime);
        await using (var reader = await first.ExecuteReaderAsync())
        {
            do
            {
                while (await reader.ReadAsync())
                {
                    now = reader.GetFieldType(0) == typeof(DateTime) ? reader.GetDateTime(0) : now;
                }
            }
            while (await reader.NextResultAsync());
        }

        await using var second = new NpgsqlBatch(connection);
        second.BatchCommands.Add(Of(
            Write,
            Text(name),
            new NpgsqlParameter { Value = (object?)owner ?? DBNull.Value, NpgsqlDbType = NpgsqlTypes.NpgsqlDbType.Text },
            new NpgsqlParameter<DateTime> { TypedValue = now + lease }));
        second.BatchCommands.Add(new NpgsqlBatchCommand(Commit));
        await second.ExecuteNonQueryAsync();
    }

    private static NpgsqlBatchCommand Of(string text, params NpgsqlParameter[] parameters)
    {
        var command = new NpgsqlBatchCommand(text);
        command.Parameters.AddRange(parameters);
        return command;
    }

    private static NpgsqlParameter<string> Text(string value) => new() { TypedValue = value };

    private sealed class Held(BareTransactions transactions, string name) : IAsyncDisposable
    {
        public async ValueTask DisposeAsync() => await transactions.ChangeAsync(name, isNew: false, owner: null);
    }
}
