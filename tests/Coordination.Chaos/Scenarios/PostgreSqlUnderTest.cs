using Coordination.Chaos.Checking;
using Coordination.Chaos.Contenders;
using Coordination.Chaos.Faults;
using Coordination.Chaos.Workers;
using Coordination.TestKit.Clocks;
using Coordination.TestKit.Network;
using Coordination.TestKit.Processes;
using Coordination.TestKit.Servers;
using Npgsql;

namespace Coordination.Chaos.Scenarios;

/// <summary>The PostgreSQL of a run, alone or with a standby, and what is done to it. What it confirms is on disk.</summary>
internal sealed class PostgreSqlUnderTest : ServerUnderTest
{
    /// <summary>Of the disk that can be filled. A new server takes about 50.</summary>
    private const int Megabytes = 110;

    /// <summary>How many the pooler makes: fewer than its clients have.</summary>
    private const int PooledConnections = 8;

    private const string StandbyName = "standby";

    private const string Terminate = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()";

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);
    private static readonly string[] Settings = ["shared_buffers=32MB", "track_commit_timestamp=on", "timezone=UTC"];

    private readonly string _hosts;
    private readonly ChaosProxy? _replication;
    private readonly PgBouncerProcess? _pooler;
    private PostgreSqlProcess _primary;
    private PostgreSqlProcess? _standby;
    private PostgreSqlProcess? _dead;

    private PostgreSqlUnderTest(ServerKind kind, PostgreSqlProcess primary, PostgreSqlProcess? standby = null, ChaosProxy? replication = null, PgBouncerProcess? pooler = null)
        : base(kind)
    {
        (_primary, _standby, _replication, _pooler) = (primary, standby, replication, pooler);
        _hosts = standby is null ? $"Host=127.0.0.1;Port={primary.Port}" : $"Host=127.0.0.1:{primary.Port},127.0.0.1:{standby.Port}";
    }

    /// <summary>Of a pair there is none: its clients know both, and find the one that takes writes.</summary>
    public override int? Port => _replication is null ? _pooler?.Port ?? _primary.Port : null;

    public override string ConnectionString => $"{_hosts};Username=postgres;Database=postgres";

    public static async Task<PostgreSqlUnderTest> StartAsync(ServerKind kind, ContenderKind contender)
    {
        var server = kind switch
        {
            ServerKind.PostgreSqlSynchronous => await StartPairAsync(kind, contender == ContenderKind.StandbyUnasked ? [] : [$"synchronous_standby_names={StandbyName}"]),
            ServerKind.PostgreSqlAsynchronous => await StartPairAsync(kind, []),
            ServerKind.PostgreSqlPooled => await StartPooledAsync(),
            ServerKind.PostgreSqlOnSmallDisk when PostgreSqlProcess.MayMount => new PostgreSqlUnderTest(kind, await PostgreSqlProcess.StartOnSmallDiskAsync(Megabytes, [.. Settings, "min_wal_size=4MB", "max_wal_size=32MB"])),
            _ => new PostgreSqlUnderTest(kind, await PostgreSqlProcess.StartAsync(Settings)),
        };
        await server.ExecuteAsync($"CREATE TABLE {GuardedTable.Name} (lock text NOT NULL, by text NOT NULL, token bigint NOT NULL)");
        await server.ExecuteAsync($"CREATE TABLE {RenewalOfAnyonesContender.Table} (name text PRIMARY KEY, owner text NOT NULL, ends timestamptz NOT NULL)");
        return server;
    }

    /// <summary>Its sessions have the worker's name.</summary>
    public override string ConnectionStringOf(string process, int? proxyPort) =>
        $"{(proxyPort is { } port ? $"Host=127.0.0.1;Port={port}" : _hosts)};Username=postgres;Database=postgres;Application Name={process}";

    public override async Task<ServerLoss> StrikeAsync(Fault fault, string lockName, string worker, Fleet fleet)
    {
        switch (fault.Kind)
        {
            case FaultKind.RestartServer:
                await _primary.KillAsync();
                await Task.Delay(fault.Length);
                await _primary.StartAgainAsync();
                break;
            case FaultKind.StopImmediately:
                await _primary.StopImmediatelyAsync();
                await Task.Delay(fault.Length);
                await _primary.StartAgainAsync();
                break;
            case FaultKind.CrashBackend:
                await CrashBackendAsync(worker);
                break;
            case FaultKind.TerminateHolder:
                await ExecuteAsync($"{Terminate} AND application_name LIKE '{worker}.%'");
                break;
            case FaultKind.TerminateAll:
                await ExecuteAsync(Terminate);
                break;
            case FaultKind.FillDisk:
                await (PostgreSqlProcess.MayMount ? FillDiskAsync(fault.Length) : RefuseWritesAsync(fault.Length));
                break;
            case FaultKind.LockRow:
                await LockRowAsync(lockName, fault.Length);
                break;
            case FaultKind.SlowCommit:
                await ConfigureAsync("ALTER SYSTEM SET commit_delay = 100000", "ALTER SYSTEM SET commit_siblings = 0");
                await Task.Delay(fault.Length);
                await ConfigureAsync("ALTER SYSTEM RESET commit_delay", "ALTER SYSTEM RESET commit_siblings");
                break;
            case FaultKind.Promote or FaultKind.CancelAndPromote when _standby is not null:
                await PromoteAsync(fault);
                return Kind == ServerKind.PostgreSqlSynchronous ? ServerLoss.None : new ServerLoss(new Loss(), IsCertain: false);
        }

        return ServerLoss.None;
    }

    public override async Task<IReadOnlyList<string>> LeftAsync(bool hasFaults, bool mayHaveDead)
    {
        const string schema = ScenarioRun.Prefix;
        if (await AskAsync($"SELECT 1 WHERE to_regclass('{schema}.locks') IS NOT NULL") is [])
        {
            return [];
        }

        var dead = mayHaveDead ? "" : $"""
            UNION ALL SELECT 'Somebody waits for ' || name || '.' FROM {schema}.locks WHERE document LIKE '%aiters%'
            UNION ALL SELECT 'A fence of ' || name || ' is left.' FROM {schema}.fences
            """;
        return await AskAsync($"""
            SELECT name || ' is held by ' || owner || '.' FROM {schema}.locks WHERE owner IS NOT NULL AND lasts_until > clock_timestamp()
            UNION ALL SELECT 'A share of ' || name || ' is held by ' || owner || '.' FROM {schema}.shares WHERE lasts_until > clock_timestamp()
            {dead}
            """);
    }

    public override async Task ReadAsync()
    {
        await using var connection = await ConnectAsync(_primary);
        await using var command = new NpgsqlCommand($"SELECT lock, by, token, pg_xact_commit_timestamp(xmin) FROM {GuardedTable.Name}", connection);
        await using var reader = await command.ExecuteReaderAsync();
        var found = new List<GuardedWrite>();
        while (await reader.ReadAsync())
        {
            found.Add(new GuardedWrite(reader.GetFieldValue<DateTime>(3) - DateTime.UnixEpoch, reader.GetString(0), reader.GetString(1), reader.GetInt64(2)));
        }

        GuardedWrites = found;
    }

    public override async ValueTask DisposeAsync()
    {
        await (_pooler?.DisposeAsync() ?? ValueTask.CompletedTask);
        foreach (var server in new[] { _standby, _primary, _dead })
        {
            await (server?.DisposeAsync() ?? ValueTask.CompletedTask);
        }

        await (_replication?.DisposeAsync() ?? ValueTask.CompletedTask);
    }

    private static async Task<PostgreSqlUnderTest> StartPooledAsync()
    {
        var primary = await PostgreSqlProcess.StartAsync(Settings);
        return new PostgreSqlUnderTest(ServerKind.PostgreSqlPooled, primary, pooler: await PgBouncerProcess.StartAsync(primary.Port, PooledConnections));
    }

    private static async Task<PostgreSqlUnderTest> StartPairAsync(ServerKind kind, string[] more)
    {
        var primary = await PostgreSqlProcess.StartAsync([.. Settings, .. more]);
        var replication = new ChaosProxy(primary.Port);
        var pair = new PostgreSqlUnderTest(kind, primary, await primary.StartStandbyAsync(StandbyName, replication.Port, Settings), replication);
        await UntilAsync(async () => await pair.AskAsync($"SELECT state FROM pg_stat_replication WHERE state = 'streaming' AND sync_state = '{(more.Length > 0 ? "sync" : "async")}'") is not [], "The standby does not follow");
        return pair;
    }

    /// <summary>
    /// The standby hears no more of the primary, which goes on for a while, or waits for it with each commit. Mostly all sessions are ended meanwhile, and the waits of some are cancelled before if the
    /// plan says so, again and again: then a commit that waits is done, and nobody confirmed it. Then it dies, and the standby takes over.
    /// </summary>
    private async Task PromoteAsync(Fault fault)
    {
        _replication!.Begin(ProxyMode.BlackHole);
        await Task.Delay(fault.Length / 3);
        if (fault.Kind == FaultKind.CancelAndPromote)
        {
            for (var until = MachineClock.Now + (fault.Length / 3); MachineClock.Now < until; await Task.Delay(20))
            {
                await ExecuteAsync("SELECT pg_cancel_backend(pid) FROM pg_stat_activity WHERE wait_event = 'SyncRep' AND pid % 2 = 0");
            }
        }

        await Task.Delay(fault.Length / 3);
        if (fault.AtHolder)
        {
            await ExecuteAsync(Terminate);
        }

        await Task.Delay(fault.Length / 3);
        var died = MachineClock.Now;
        await _primary.CrashAsync();
        (_dead, _primary, _standby) = (_primary, _standby!, null);
        await UntilAsync(async () => await AskAsync("SELECT 1 WHERE pg_last_wal_receive_lsn() = pg_last_wal_replay_lsn()") is not [], "The standby does not come to the end of what it has");
        var tokens = new Dictionary<string, long>();
        await using (var connection = await ConnectAsync(_primary))
        {
            await using var command = new NpgsqlCommand($"SELECT name, last_token FROM {ScenarioRun.Prefix}.locks", connection);
            await using var reader = await command.ExecuteReaderAsync();
            while (await reader.ReadAsync())
            {
                tokens[reader.GetString(0)] = reader.GetInt64(1);
            }
        }

        Takeovers.Add(new Takeover(died, tokens));
        await _primary.PromoteAsync();
    }

    private async Task CrashBackendAsync(string worker)
    {
        if (await AskAsync($"SELECT pid::text FROM pg_stat_activity WHERE backend_type = 'client backend' AND application_name LIKE '{worker}.%' LIMIT 1") is [var pid])
        {
            ProcessSignal.Kill(int.Parse(pid));
            await UntilAsync(IsThereAsync, "The server does not recover");
        }
    }

    /// <summary>Its journal is on it as well: the server cannot write it, and ends.</summary>
    private async Task FillDiskAsync(TimeSpan length)
    {
        var ballast = Path.Combine(Path.GetDirectoryName(_primary.Data)!, "ballast");
        Fill(ballast);

        // The next file of the journal, which there is no room for, would be due later.
        for (var end = MachineClock.Now + length; MachineClock.Now < end; await Task.Delay(50))
        {
            await TryAsync("SELECT pg_switch_wal()");
        }

        File.Delete(ballast);
        await UntilAsync(
            async () =>
            {
                // It may end a moment after there is room again, of what it met before.
                if (!_primary.IsUp)
                {
                    await _primary.KillAsync();
                    await _primary.StartAgainAsync();
                }

                return await IsThereAsync();
            },
            "The server does not recover");
    }

    private static void Fill(string path)
    {
        using var file = File.Create(path, bufferSize: 0);
        for (var size = 64 * 1024; size >= 512; size /= 2)
        {
            try
            {
                for (var block = new byte[size]; ;)
                {
                    file.Write(block);
                }
            }
            catch (IOException)
            {
                // There may be room for less.
            }
        }
    }

    /// <summary>What a server says whose disk is full, where none can be mounted to be filled: by hand.</summary>
    private async Task RefuseWritesAsync(TimeSpan length)
    {
        await TryAsync("""
            CREATE OR REPLACE FUNCTION chaos_full() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'could not extend file: No space left on device' USING ERRCODE = '53100'; END $$
            """);
        await TryAsync($"CREATE TRIGGER chaos_full BEFORE INSERT OR UPDATE OR DELETE ON {ScenarioRun.Prefix}.locks FOR EACH STATEMENT EXECUTE FUNCTION chaos_full()");
        await Task.Delay(length);
        await TryAsync($"DROP TRIGGER IF EXISTS chaos_full ON {ScenarioRun.Prefix}.locks");
    }

    private async Task LockRowAsync(string lockName, TimeSpan length)
    {
        await using var connection = await ConnectAsync(_primary);
        await using var transaction = await connection.BeginTransactionAsync();
        await using var command = new NpgsqlCommand($"SELECT 1 FROM {ScenarioRun.Prefix}.locks WHERE name = $1 FOR UPDATE", connection, transaction);
        command.Parameters.Add(new NpgsqlParameter<string> { TypedValue = lockName });
        await command.ExecuteNonQueryAsync();
        await Task.Delay(length);
        await transaction.RollbackAsync();
    }

    private async Task ConfigureAsync(params string[] statements)
    {
        foreach (var statement in statements)
        {
            await ExecuteAsync(statement);
        }

        await ExecuteAsync("SELECT pg_reload_conf()");
    }

    private async Task<bool> IsThereAsync() => await TryAsync("SELECT 1");

    private async Task<bool> TryAsync(string text)
    {
        try
        {
            await ExecuteAsync(text);
            return true;
        }
        catch (Exception e) when (e is NpgsqlException or TimeoutException or IOException)
        {
            return false;
        }
    }

    private async Task ExecuteAsync(string text)
    {
        await using var connection = await ConnectAsync(_primary);
        await using var command = new NpgsqlCommand(text, connection);
        await command.ExecuteNonQueryAsync();
    }

    private async Task<List<string>> AskAsync(string text)
    {
        await using var connection = await ConnectAsync(_primary);
        await using var command = new NpgsqlCommand(text, connection);
        await using var reader = await command.ExecuteReaderAsync();
        var found = new List<string>();
        while (await reader.ReadAsync())
        {
            found.Add(reader.GetValue(0).ToString()!);
        }

        return found;
    }

    private static async Task<NpgsqlConnection> ConnectAsync(PostgreSqlProcess server)
    {
        var connection = new NpgsqlConnection(server.ConnectionString + ";Pooling=false;Timeout=5");
        await connection.OpenAsync();
        return connection;
    }

    private static async Task UntilAsync(Func<Task<bool>> condition, string complaint)
    {
        for (var limit = Task.Delay(Patience); !await condition();)
        {
            if (limit.IsCompleted)
            {
                throw new TimeoutException($"{complaint} within {Patience}.");
            }

            await Task.Delay(50);
        }
    }
}
