using Medallion.Threading.Postgres;
using Npgsql;

namespace Coordination.Benchmarks.Peers.Postgres;

/// <summary>DistributedLock.Postgres, with its defaults: an advisory lock, held by a connection for as long as that stands. Waiters need a connection each.</summary>
internal sealed class PostgresDistributedLockPeer(string connectionString) : ILockPeer
{
    private readonly string _connectionString = new NpgsqlConnectionStringBuilder(connectionString) { MaxPoolSize = 500 }.ConnectionString;

    public async Task<IAsyncDisposable> AcquireAsync(string name) =>
        await new PostgresDistributedLock(new PostgresAdvisoryLockKey(name, allowHashing: true), _connectionString).AcquireAsync();

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;
}
