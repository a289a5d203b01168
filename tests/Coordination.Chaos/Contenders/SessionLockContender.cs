using Npgsql;

namespace Coordination.Chaos.Contenders;

/// <summary>Broken: an advisory lock on a session that nobody looks at again before the release. When the server ends the session, the lock is the next one's, and the holder believes on.</summary>
internal sealed class SessionLockContender(string connectionString) : IContender
{
    private static readonly TimeSpan Retry = TimeSpan.FromMilliseconds(50);
    private readonly NpgsqlDataSource _database = NpgsqlDataSource.Create(new NpgsqlConnectionStringBuilder(connectionString) { Pooling = false });

    public async Task<IHolding?> AcquireAsync(string lockName, LockShareKind? share, CancellationToken cancellationToken)
    {
        var connection = await _database.OpenConnectionAsync(cancellationToken);
        try
        {
            while (!await AskAsync(connection, "pg_try_advisory_lock", lockName, cancellationToken))
            {
                await Task.Delay(Retry, cancellationToken);
            }

            return new Holding(connection);
        }
        catch
        {
            await connection.DisposeAsync();
            throw;
        }
    }

    public ValueTask DisposeAsync() => _database.DisposeAsync();

    /// <summary>Takes or releases the advisory lock of a name.</summary>
    internal static async Task<bool> AskAsync(NpgsqlConnection connection, string function, string lockName, CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand($"SELECT {function}(hashtext($1))", connection);
        command.Parameters.Add(new NpgsqlParameter<string> { TypedValue = lockName });
        return (bool)(await command.ExecuteScalarAsync(cancellationToken))!;
    }

    private sealed class Holding(NpgsqlConnection connection) : IHolding
    {
        public long? Token => null;

        public CancellationToken Lost => CancellationToken.None;

        public async Task<string> ReleaseAsync()
        {
            await connection.DisposeAsync();
            return "closed";
        }
    }
}
