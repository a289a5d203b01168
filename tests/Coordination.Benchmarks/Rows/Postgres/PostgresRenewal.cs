using System.Diagnostics;
using Coordination.Benchmarks.Peers;
using Coordination.Benchmarks.Reports;
using Npgsql;

namespace Coordination.Benchmarks.Rows.Postgres;

/// <summary>One renewal, and one of a hundred leases, against an UPDATE of as many rows.</summary>
internal sealed class PostgresRenewal : IRow
{
    private const int PerRound = 20;
    private const int WarmUp = 100;
    private const int Count = 25;
    private const string Bare = "UPDATE bare b SET lasts_until = clock_timestamp() + $3 FROM unnest($1::text[], $2::text[]) AS a(name, owner) WHERE b.name = a.name AND b.owner = a.owner AND b.lasts_until > clock_timestamp()";
    private static readonly int[] Sizes = [1, PostgresLeases.PerStatement];

    public string Name => "pg-renewal";

    public string Summary => "PostgreSQL: a renewal of 1 and of 100 leases, against the bare UPDATE";

    public async Task<IReadOnlyList<Line>> MeasureAsync(Bench bench)
    {
        var server = await bench.PostgresAsync();
        await using var leases = await PostgresLeases.TakeAsync(await server.AddressOfAsync("renewal"), "renewal", PostgresLeases.PerStatement);
        await using var bare = NpgsqlDataSource.Create(new NpgsqlConnectionStringBuilder(await server.AddressOfAsync("bare-renewal")) { MaxAutoPrepare = 40, AutoPrepareMinUsages = 2, NoResetOnClose = true });
        await server.ExecuteAsync($"INSERT INTO bare SELECT 'renewal-' || i, 'owner', clock_timestamp() + interval '1 hour' FROM generate_series(0, {PostgresLeases.PerStatement - 1}) i");
        var lines = new List<Line>();
        foreach (var size in Sizes)
        {
            var took = new Dictionary<PeerKind, Samples> { [PeerKind.PostgresStatements] = new(), [PeerKind.Postgres] = new() };
            foreach (var kind in took.Keys)
            {
                await RepeatAsync(kind, size, WarmUp);
            }

            await Rounds.RunAsync(Count, [.. took.Keys], async kind =>
            {
                var begun = Stopwatch.GetTimestamp();
                await RepeatAsync(kind, size, PerRound);
                took[kind].Add(Stopwatch.GetElapsedTime(begun).TotalMicroseconds / PerRound);
            });
            var (ours, its) = (took[PeerKind.Postgres], took[PeerKind.PostgresStatements]);
            lines.Add(new Line($"PostgreSQL: renewal of {size} lease(s) in one statement: × a bare UPDATE of as many rows ({its.Median:F0} µs)", $"{ours.RatioTo(its):F2} × ({ours.Median:F0} µs)", "none: a connection is held"));
        }

        return lines;

        async Task RepeatAsync(PeerKind kind, int size, int count)
        {
            for (var i = 0; i < count; i++)
            {
                await (kind == PeerKind.Postgres ? leases.RenewAsync(0, size) : BareAsync(bare, size));
            }
        }
    }

    private static async Task BareAsync(NpgsqlDataSource database, int size)
    {
        await using var command = database.CreateCommand(Bare);
        command.Parameters.Add(new NpgsqlParameter<string[]> { TypedValue = [.. Enumerable.Range(0, size).Select(i => $"renewal-{i}")] });
        command.Parameters.Add(new NpgsqlParameter<string[]> { TypedValue = [.. Enumerable.Repeat("owner", size)] });
        command.Parameters.Add(new NpgsqlParameter<TimeSpan> { TypedValue = TimeSpan.FromHours(1) });
        if (await command.ExecuteNonQueryAsync() != size)
        {
            throw new InvalidOperationException("A row was not renewed.");
        }
    }
}
