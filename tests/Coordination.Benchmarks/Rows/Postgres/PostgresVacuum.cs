using System.Diagnostics;
using System.Globalization;
using Coordination.Benchmarks.Reports;
using Coordination.Benchmarks.Servers;

namespace Coordination.Benchmarks.Rows.Postgres;

/// <summary>
/// What the renewals of an hour leave behind. Ten thousand leases of 15 s are renewed every 5 s, 720 times in an hour; here as often, one right after the other, which
/// leaves the server's own vacuum less time than an hour would.
/// </summary>
internal sealed class PostgresVacuum : IRow
{
    private const int Count = 10_000;
    private const int PerHour = 720;
    private static readonly TimeSpan Longest = TimeSpan.FromMinutes(10);

    public string Name => "pg-vacuum";

    public string Summary => $"PostgreSQL: what {PerHour} rounds of renewals of {Count:N0} leases leave behind, as many as leases of 15 s have in an hour, one right after the other and for {Longest.TotalMinutes:F0} minutes at most";

    public TimeSpan Limit => Longest + TimeSpan.FromMinutes(5);

    public async Task<IReadOnlyList<Line>> MeasureAsync(Bench bench)
    {
        var server = await bench.PostgresAsync();
        await using var leases = await PostgresLeases.TakeAsync(await server.AddressOfAsync("vacuum"), "vacuum", Count);
        await server.ExecuteAsync("VACUUM ANALYZE coordination.locks");
        var before = await SizeAsync(server);
        await server.ExecuteAsync("SELECT pg_stat_reset()");
        var (begun, rounds) = (Stopwatch.GetTimestamp(), 0);
        for (; rounds < PerHour && Stopwatch.GetElapsedTime(begun) < Longest; rounds++)
        {
            for (var first = 0; first < Count; first += PostgresLeases.PerStatement)
            {
                await leases.RenewAsync(first, PostgresLeases.PerStatement);
            }
        }

        var took = Stopwatch.GetElapsedTime(begun);
        var left = await ReadAsync(server);
        await server.ExecuteAsync("VACUUM coordination.locks");
        var after = await ReadAsync(server);
        var renewals = (long)rounds * Count;
        return
        [
            new Line(
                $"PostgreSQL: {Count:N0} leases renewed {rounds} times ({rounds * 100.0 / PerHour:F0} % of an hour of leases of 15 s) in {took.TotalSeconds:F0} s: HOT updates",
                string.Create(CultureInfo.InvariantCulture, $"{100.0 * left.Hot / left.Updates:F2} % of {left.Updates:N0} ({renewals:N0} renewals), {renewals / took.TotalSeconds:F0}/s"),
                "none: a connection is held"),
            new Line(
                "PostgreSQL: dead rows at the end, and after a VACUUM; runs of autovacuum meanwhile",
                string.Create(CultureInfo.InvariantCulture, $"{left.Dead:N0}; {after.Dead:N0}; {left.Vacuums}")),
            new Line(
                "PostgreSQL: the table and its index before; at the end; after a VACUUM",
                $"{before.Table} + {before.Index} kB; {left.Size.Table} + {left.Size.Index} kB; {after.Size.Table} + {after.Size.Index} kB"),
        ];
    }

    private static async Task<(long Table, long Index)> SizeAsync(PostgresServer server) =>
        (await server.NumberAsync("SELECT pg_table_size('coordination.locks') / 1024"), await server.NumberAsync("SELECT pg_indexes_size('coordination.locks') / 1024"));

    private static async Task<Remains> ReadAsync(PostgresServer server)
    {
        // Sessions report what they did when they have been idle for a second.
        await Task.Delay(TimeSpan.FromSeconds(3));
        await using var command = server.Judge.CreateCommand("SELECT n_tup_upd, n_tup_hot_upd, n_dead_tup, autovacuum_count FROM pg_stat_user_tables WHERE schemaname = 'coordination' AND relname = 'locks'");
        await using var reader = await command.ExecuteReaderAsync();
        await reader.ReadAsync();
        return new Remains(reader.GetInt64(0), reader.GetInt64(1), reader.GetInt64(2), reader.GetInt64(3), await SizeAsync(server));
    }

    private sealed record Remains(long Updates, long Hot, long Dead, long Vacuums, (long Table, long Index) Size);
}
