using Npgsql;

namespace Coordination.Benchmarks.Peers.Postgres;

/// <summary>The least that a lock can be: a statement that makes a row, and one that deletes it, each committed by itself. No queue, no token, nobody is told.</summary>
internal sealed class BareStatements(NpgsqlDataSource database, TimeSpan lease) : ILockPeer
{
    private const string Acquire = """
        INSERT INTO bare (name, owner, lasts_until) VALUES ($1, $2, clock_timestamp() + $3)
        ON CONFLICT (name) DO UPDATE SET owner = excluded.owner, lasts_until = excluded.lasts_until WHERE bare.lasts_until < clock_timestamp()
        """;

    private const string Release = "DELETE FROM bare WHERE name = $1 AND owner = $2";

    public async Task<IAsyncDisposable> AcquireAsync(string name)
    {
        var owner = Guid.NewGuid().ToString("N");
        return await ExecuteAsync(Acquire, Text(name), Text(owner), new NpgsqlParameter<TimeSpan> { TypedValue = lease }) == 1
            ? new Held(this, name, owner)
            : throw new InvalidOperationException($"'{name}' is held.");
    }

    public ValueTask DisposeAsync() => database.DisposeAsync();

    private async Task<int> ExecuteAsync(string text, params NpgsqlParameter[] parameters)
    {
        await using var command = database.CreateCommand(text);
        command.Parameters.AddRange(parameters);
        return await command.ExecuteNonQueryAsync();
    }

    private static NpgsqlParameter<string> Text(string value) => new() { TypedValue = value };

    private sealed class Held(BareStatements statements, string name, string owner) : IAsyncDisposable
    {
        public async ValueTask DisposeAsync() => await statements.ExecuteAsync(Release, Text(name), Text(owner));
    }
}
