using Coordination.TestKit.Servers;
using Npgsql;

namespace Coordination.PostgreSql.Tests.Servers;

/// <summary>A server that the tests of a run share, started for the first test that asks for it. What it writes need not outlive a crash of the machine.</summary>
public sealed class PostgreSqlFixture : IAsyncLifetime
{
    private readonly SemaphoreSlim _starting = new(1, 1);
    private Task<PostgreSqlProcess>? _start;

    /// <summary>How its owner connects.</summary>
    public async Task<string> GetConnectionStringAsync()
    {
        await _starting.WaitAsync(TestContext.Current.CancellationToken);
        try
        {
            // Once for all tests, also when it fails.
            _start ??= PostgreSqlProcess.StartAsync("fsync=off", "max_connections=400", "shared_buffers=64MB", "max_prepared_transactions=10");
        }
        finally
        {
            _starting.Release();
        }

        return (await _start).ConnectionString;
    }

    /// <summary>A connection for what an operator does.</summary>
    public async Task<NpgsqlConnection> ConnectAsOperatorAsync()
    {
        var connection = new NpgsqlConnection(await GetConnectionStringAsync() + ";Pooling=false");
        await connection.OpenAsync(TestContext.Current.CancellationToken);
        return connection;
    }

    public ValueTask InitializeAsync() => ValueTask.CompletedTask;

    public async ValueTask DisposeAsync()
    {
        if (_start is not null)
        {
            await (await _start).DisposeAsync();
        }

        _starting.Dispose();
    }
}
