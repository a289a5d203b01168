using System.Globalization;
using System.Reflection;
using Coordination.PostgreSql.Connections;
using Coordination.PostgreSql.Telemetry;
using Coordination.PostgreSql.Transactions;
using Microsoft.Extensions.Logging;
using Npgsql;

namespace Coordination.PostgreSql.Schema;

/// <summary>Finds out whether a server can keep locks, and makes the tables where that is wanted.</summary>
internal sealed class SchemaCheck(LockDatabase database, PostgreSqlStoreOptions options, TransactionLimits limits, ILogger logger)
{
    /// <summary>The version of the tables that this release reads and writes.</summary>
    public const int Version = 1;

    /// <summary>The oldest server that has all that the statements use.</summary>
    private const int OldestServer = 120000;

    private const int TableCount = 5;

    /// <summary>For longer than for a lock: on a busy machine the first statements of a process take their time, and whoever waits gives up sooner where it has to.</summary>
    private static readonly TimeSpan LookLimit = TimeSpan.FromSeconds(5);

    /// <summary>Making tables takes longer than asking for them, and others may make some just then.</summary>
    private static readonly TimeSpan MakeLimit = TimeSpan.FromSeconds(10);

    /// <summary>Whoever makes the tables has this lock of the database: the same for all nodes.</summary>
    private const long Making = 0x436F6F7264696E61;

    private const string Server = """
        SELECT current_setting('server_version_num')::integer, current_setting('server_version'), pg_catalog.pg_is_in_recovery()
        """;

    private const string Tables = """
        SELECT c.relname, c.relpersistence::text FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
        WHERE n.nspname = $1 AND c.relname IN ('locks', 'shares', 'fences', 'mail', 'version') AND c.relkind IN ('r', 'p')
        """;

    /// <summary>Makes the tables where they are missing, with the schema's name to be replaced.</summary>
    public static readonly string Script = ReadScript();

    /// <exception cref="LockStoreException">The server is no primary (transient), or its tables do not do (final).</exception>
    public async Task ExamineAsync()
    {
        var connection = await database.OpenAsync(CancellationToken.None).ConfigureAwait(false);
        await using (connection.ConfigureAwait(false))
        {
            // What fails is rolled back with the end of the connection.
            var (version, isFit) = await connection.RunAsync(
                async opened =>
                {
                    await BeginAsync(opened, Statements.BeginExamination, LookLimit).ConfigureAwait(false);
                    var version = await ExamineServerAsync(opened).ConfigureAwait(false);
                    var mustMake = !await AreTablesThereAsync(opened).ConfigureAwait(false) && options.CreateSchema;
                    if (!mustMake)
                    {
                        await ExamineTablesAsync(opened).ConfigureAwait(false);
                    }

                    await ExecuteAsync(opened, mustMake ? Statements.Rollback : Statements.Commit, LookLimit).ConfigureAwait(false);
                    return (version, !mustMake);
                },
                LookLimit).ConfigureAwait(false);
            if (!isFit)
            {
                await connection.RunAsync(MakeAsync, MakeLimit + LookLimit).ConfigureAwait(false);
            }

            Log.ServerIsFit(logger, database.Address, version, options.Schema);
        }
    }

    private async Task<string> ExamineServerAsync(NpgsqlConnection connection)
    {
        using var command = Command(connection, Server);
        var reader = await command.ExecuteReaderAsync().ConfigureAwait(false);
        await using (reader.ConfigureAwait(false))
        {
            await reader.ReadAsync().ConfigureAwait(false);
            var (number, version, isStandby) = (reader.GetInt32(0), reader.GetString(1), reader.GetBoolean(2));
            if (number < OldestServer)
            {
                throw Unfit($"The PostgreSQL server at {database.Address} has version {version}. Locks need 12 or later.", isTransient: false);
            }

            return !isStandby ? version : throw Unfit($"The PostgreSQL server at {database.Address} is a standby, which takes no writes. Give a connection string that leads to the primary, such as one with all hosts in it; or wait until it is promoted.", isTransient: true);
        }
    }

    private async Task<bool> AreTablesThereAsync(NpgsqlConnection connection)
    {
        var found = await FindTablesAsync(connection).ConfigureAwait(false);
        return found.Count == TableCount && await ReadVersionAsync(connection).ConfigureAwait(false) >= Version;
    }

    private async Task ExamineTablesAsync(NpgsqlConnection connection)
    {
        var found = await FindTablesAsync(connection).ConfigureAwait(false);
        if (found.Count < TableCount)
        {
            throw Unfit($"The tables of the store are missing in the schema '{options.Schema}' of {database.Address}. Set {PostgreSqlStoreOptions.SectionName}:CreateSchema, or run schema.sql of the package.", isTransient: false);
        }

        if (found.FirstOrDefault(static table => table.Value != "p").Key is { } unsafeTable)
        {
            throw Unfit($"The table '{options.Schema}.{unsafeTable}' is unlogged or temporary: a crash empties it, and every lock that is held is granted again. Make it with ALTER TABLE … SET LOGGED.", isTransient: false);
        }

        var version = await ReadVersionAsync(connection).ConfigureAwait(false);
        if (version != Version)
        {
            throw Unfit(string.Create(
                    CultureInfo.InvariantCulture,
                    $"The tables in the schema '{options.Schema}' have version {version}, and this release of Coordination.PostgreSql needs {Version}. {(version > Version ? "Use a newer release of it" : "Run schema.sql of this release, which brings them up")}."), isTransient: false);
        }
    }

    private async Task<Dictionary<string, string>> FindTablesAsync(NpgsqlConnection connection)
    {
        using var command = Command(connection, Tables);
        command.Parameters.Add(LockTransaction.Text(options.Schema));
        var found = new Dictionary<string, string>(StringComparer.Ordinal);
        var reader = await command.ExecuteReaderAsync().ConfigureAwait(false);
        await using (reader.ConfigureAwait(false))
        {
            while (await reader.ReadAsync().ConfigureAwait(false))
            {
                found[reader.GetString(0)] = reader.GetString(1);
            }
        }

        return found;
    }

    /// <returns>Zero where the table says nothing.</returns>
    private async Task<int> ReadVersionAsync(NpgsqlConnection connection)
    {
        using var command = Command(connection, Statements.With(options.Schema, """SELECT version FROM "coordination".version WHERE id = 1"""));
        return await command.ExecuteScalarAsync().ConfigureAwait(false) is int version ? version : 0;
    }

    /// <summary>One node at a time, whichever schema it is for: two that make the same table at once disturb each other.</summary>
    private async Task MakeAsync(NpgsqlConnection connection)
    {
        await BeginAsync(connection, Statements.Begin, MakeLimit).ConfigureAwait(false);
        using var alone = Command(connection, MakeLimit, "SELECT pg_catalog.pg_advisory_xact_lock($1)");
        alone.Parameters.Add(LockTransaction.Number(Making));
        await alone.ExecuteNonQueryAsync().ConfigureAwait(false);
        await ExecuteAsync(connection, Statements.With(options.Schema, Script), MakeLimit).ConfigureAwait(false);
        await ExamineTablesAsync(connection).ConfigureAwait(false);
        await ExecuteAsync(connection, Statements.Commit, MakeLimit).ConfigureAwait(false);
    }

    /// <summary>A transaction in which defaults of the server, the database or the role change nothing, and whose waits end before the client gives up.</summary>
    private async Task BeginAsync(NpgsqlConnection connection, string begin, TimeSpan limit)
    {
        await ExecuteAsync(connection, begin, limit).ConfigureAwait(false);
        using var waits = Command(connection, limit, Statements.TimeLimits);
        waits.Parameters.Add(LockTransaction.Text((750 * Seconds(limit)).ToString(CultureInfo.InvariantCulture)));
        waits.Parameters.Add(LockTransaction.Text((1000 * Seconds(limit)).ToString(CultureInfo.InvariantCulture)));
        waits.Parameters.Add(LockTransaction.Text(TransactionLimits.None));
        await waits.ExecuteNonQueryAsync().ConfigureAwait(false);
    }

    private async Task ExecuteAsync(NpgsqlConnection connection, string text, TimeSpan limit)
    {
        using var command = Command(connection, limit, text);
        await command.ExecuteNonQueryAsync().ConfigureAwait(false);
    }

    private NpgsqlCommand Command(NpgsqlConnection connection, string text) => Command(connection, LookLimit, text);

    private NpgsqlCommand Command(NpgsqlConnection connection, TimeSpan limit, string text) => new(text, connection) { CommandTimeout = Seconds(limit) };

    private int Seconds(TimeSpan limit) => Math.Max(limits.CommandSeconds, (int)limit.TotalSeconds);

    private static LockStoreException Unfit(string message, bool isTransient) => new(message, isTransient) { MayBeApplied = false };

    private static string ReadScript()
    {
        using var stream = Assembly.GetExecutingAssembly().GetManifestResourceStream("schema.sql")!;
        using var reader = new StreamReader(stream);
        return reader.ReadToEnd();
    }
}
