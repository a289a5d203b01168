using Coordination.TestKit.Servers;
using Npgsql;

namespace Coordination.Benchmarks.Servers;

/// <summary>A PostgreSQL server of the run's own, which counts statements. Each client has a role of its own, by which the server tells them apart.</summary>
internal sealed class PostgresServer : IAsyncDisposable
{
    private const string Tables = """
        CREATE EXTENSION pg_stat_statements;
        CREATE TABLE bare (name text PRIMARY KEY, owner text, lasts_until timestamptz) WITH (fillfactor = 50);
        """;

    private readonly PostgreSqlProcess _process;
    private readonly HashSet<string> _clients = [];
    private readonly SemaphoreSlim _gate = new(1);

    private PostgresServer(PostgreSqlProcess process)
    {
        _process = process;
        Judge = NpgsqlDataSource.Create(process.ConnectionString);
    }

    /// <summary>Connections on which no library works.</summary>
    public NpgsqlDataSource Judge { get; }

    /// <summary>Its settings are the defaults, fsync among them, but for how many may connect and what it counts.</summary>
    public static async Task<PostgresServer> StartAsync()
    {
        var server = new PostgresServer(await PostgreSqlProcess.StartAsync("max_connections=600", "shared_preload_libraries=pg_stat_statements", "pg_stat_statements.track=top"));
        await server.ExecuteAsync(Tables);
        return server;
    }

    /// <summary>How a client of this name connects. It may do everything.</summary>
    public async Task<string> AddressOfAsync(string client)
    {
        await _gate.WaitAsync();
        try
        {
            if (_clients.Add(client))
            {
                await ExecuteAsync($"CREATE ROLE \"{client}\" LOGIN SUPERUSER");
            }
        }
        finally
        {
            _gate.Release();
        }

        return new NpgsqlConnectionStringBuilder(_process.ConnectionString) { Username = client }.ConnectionString;
    }

    /// <summary>How many connections a client has.</summary>
    public Task<long> ConnectionsAsync(string client) => NumberAsync($"SELECT count(*) FROM pg_stat_activity WHERE usename = '{client}'");

    /// <summary>
    /// How many statements each client has sent so far, by their first words. Without those that begin and end a transaction or set something in it: the server's count
    /// leaves them out when they are prepared.
    /// </summary>
    public async Task<IReadOnlyDictionary<string, CommandCount>> CountAsync()
    {
        await using var command = Judge.CreateCommand("""
            SELECT r.rolname, coalesce(substring(s.query FROM '^\s*(LISTEN|WITH settings|WITH taken|INSERT|UPDATE|DELETE|SELECT \S+)'), left(s.query, 40)), sum(s.calls)::integer
            FROM pg_stat_statements s JOIN pg_roles r ON r.oid = s.userid
            WHERE s.query !~* '^\s*(BEGIN|COMMIT|ROLLBACK|SET)\M' GROUP BY 1, 2
            """);
        await using var reader = await command.ExecuteReaderAsync();
        var counts = new Dictionary<string, CommandCount>();
        while (await reader.ReadAsync())
        {
            counts.TryAdd(reader.GetString(0), new CommandCount());
            counts[reader.GetString(0)].Add(reader.GetString(1), reader.GetInt32(2));
        }

        return counts;
    }

    /// <summary>Counts the statements of a while.</summary>
    public async Task<Func<string, CommandCount>> CountDuringAsync(TimeSpan window)
    {
        await ExecuteAsync("SELECT pg_stat_statements_reset()");
        await Task.Delay(window);
        var counts = await CountAsync();
        return client => counts.GetValueOrDefault(client) ?? new CommandCount();
    }

    public async Task ExecuteAsync(string text)
    {
        await using var command = Judge.CreateCommand(text);
        command.CommandTimeout = 300;
        await command.ExecuteNonQueryAsync();
    }

    public async Task<long> NumberAsync(string text)
    {
        await using var command = Judge.CreateCommand(text);
        return Convert.ToInt64(await command.ExecuteScalarAsync(), System.Globalization.CultureInfo.InvariantCulture);
    }

    public async ValueTask DisposeAsync()
    {
        await Judge.DisposeAsync();
        await _process.DisposeAsync();
        _gate.Dispose();
    }
}
