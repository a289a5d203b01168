using Coordination.Benchmarks.Rows.Postgres;

namespace Coordination.Benchmarks.Rows;

internal static class Catalogue
{
    public static readonly IReadOnlyList<IRow> InAll =
    [
        new Uncontended(), new Allocations(), new Throughput(), new Sustained(), new Handover(), new Idle(), new Processes(), new Turns(), new Leases(), new Takeover(),
    ];

    /// <summary>They start a server of their own.</summary>
    public static readonly IReadOnlyList<IRow> InPostgres =
    [
        new PostgresUncontended(), new PostgresRenewal(), new PostgresHandover(), new PostgresIdle(), new PostgresTakeover(), new PostgresVacuum(),
    ];

    public static readonly IReadOnlyList<IRow> All = [.. InAll, new PausedHandover(), new Shares(), new PausedHandover(permits: 10), new PermitsHeld(), new PubSub(), new Partitions(), .. InPostgres];

    public static IRow? Find(string name) => All.FirstOrDefault(row => row.Name == name);
}
