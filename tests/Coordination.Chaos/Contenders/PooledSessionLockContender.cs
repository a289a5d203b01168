using Npgsql;

namespace Coordination.Chaos.Contenders;

/// <summary>
/// Broken: a session's advisory lock, taken and released on whichever connection the pool has just then. What is released on another session than it was taken on stays, and nobody else
/// gets it. A pooler that gives connections out by transaction makes it so whatever its clients do.
/// </summary>
internal sealed class PooledSessionLockContender(string connectionString) : IContender
{
    private static readonly TimeSpan Retry = TimeSpan.FromMilliseconds(50);
    private readonly NpgsqlDataSource _database = NpgsqlDataSource.Create(new NpgsqlConnectionStringBuilder(connectionString) { NoResetOnClose = true, MaxPoolSize = 6 });

    public async Task<IHolding?> AcquireAsync(string lockName, LockShareKind? share, CancellationToken cancellationToken)
    {
        while (!await AskAsync("pg_try_advisory_lock", lockName, cancellationToken))
        {
            await Task.Delay(Retry, cancellationToken);
        }

        return new Holding(this, lockName);
    }

    public ValueTask DisposeAsync() => _database.DisposeAsync();

    private async Task<bool> AskAsync(string function, string lockName, CancellationToken cancellationToken)
    {
        await using var connection = await _database.OpenConnectionAsync(cancellationToken);
        return await SessionLockContender.AskAsync(connection, function, lockName, cancellationToken);
    }

    private sealed class Holding(PooledSessionLockContender contender, string lockName) : IHolding
    {
        public long? Token => null;

        public CancellationToken Lost => CancellationToken.None;

        public async Task<string> ReleaseAsync() => await contender.AskAsync("pg_advisory_unlock", lockName, CancellationToken.None) ? "unlocked" : "not locked here";
    }
}
