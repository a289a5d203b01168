using System.Globalization;
using Coordination.Benchmarks.Agents;
using Coordination.Benchmarks.Peers;
using Coordination.Benchmarks.Reports;

namespace Coordination.Benchmarks.Rows.Postgres;

/// <summary>What a node costs the server while nothing changes: connections, and statements a second.</summary>
internal sealed class PostgresIdle : IRow
{
    private const int Few = 100;
    private const int Many = 1000;

    /// <summary>Calls, renewals, notifications.</summary>
    private const int MostConnections = 22;

    /// <summary>Whether a connection stands is asked every ten seconds.</summary>
    private const double StatementsTarget = 1;

    private static readonly TimeSpan Lease = TimeSpan.FromSeconds(15);
    private static readonly TimeSpan Settle = TimeSpan.FromSeconds(17);
    private static readonly TimeSpan Window = 2 * Lease;

    public string Name => "pg-idle";

    public string Summary => "PostgreSQL: connections and statements of holders and waiters, while nothing changes";

    public TimeSpan Limit => TimeSpan.FromMinutes(10);

    public async Task<IReadOnlyList<Line>> MeasureAsync(Bench bench)
    {
        var few = await MeasureAsync(bench, PeerKind.Postgres, Few, CrowdKind.Spread);
        var many = await MeasureAsync(bench, PeerKind.Postgres, Many, CrowdKind.Spread);
        var together = await MeasureAsync(bench, PeerKind.Postgres, Many, CrowdKind.Together);
        var peer = await MeasureAsync(bench, PeerKind.PostgresDistributedLock, Few, CrowdKind.Spread);
        await (await bench.PostgresAsync()).ExecuteAsync("DROP SCHEMA coordination CASCADE");
        var polled = await MeasureAsync(bench, PeerKind.PostgresPoll, Few, CrowdKind.Spread);
        return
        [
            new Line(
                $"PostgreSQL: connections of a node that holds {Few} locks; {Many:N0} locks",
                $"{few.Held}; {many.Held}",
                $"{peer.Held}; not tried",
                Target: $"≤ {MostConnections}, however many",
                IsReached: few.Held <= MostConnections && many.Held <= MostConnections),
            new Line(
                $"PostgreSQL: connections of a node with a waiter for each of {Few} locks; of {Many:N0} locks",
                $"{few.Waiting}; {many.Waiting}",
                $"{peer.Waiting}; not tried",
                Target: $"≤ {MostConnections}, however many",
                IsReached: few.Waiting <= MostConnections && many.Waiting <= MostConnections),
            new Line(
                $"PostgreSQL: statements/s of a node that holds {Many:N0} leases of 15 s",
                $"{Say(many.OfHolder)}",
                $"{Say(peer.OfHolder)} ({Few} locks)"),
            new Line(
                $"PostgreSQL: statements/s of {Many:N0} waiters of one process for one lock",
                $"{Say(together.OfWaiters)}",
                Target: $"≤ {StatementsTarget}",
                IsReached: together.OfWaiters.PerSecond <= StatementsTarget),
            new Line(
                $"PostgreSQL: statements/s of waiters for a lock each: {Few}; {Many:N0}",
                $"{Say(few.OfWaiters)}; {Say(many.OfWaiters)}",
                $"{Say(peer.OfWaiters)} ({Few})"),
            new Line(
                $"PostgreSQL, polling every second: statements/s of a node with {Few} waiters, and of the one that holds {Few} leases",
                $"{Say(polled.OfWaiters)}; {Say(polled.OfHolder)}"),
        ];
    }

    private static async Task<Cost> MeasureAsync(Bench bench, PeerKind kind, int count, CrowdKind crowd)
    {
        var server = await bench.PostgresAsync();
        var name = $"idle-{kind}-{crowd}-{count}".ToLowerInvariant();
        var (holderName, waiterName) = ($"h-{name}", $"w-{name}");
        await using var holder = await bench.StartPostgresAgentAsync(kind, holderName, Lease);
        await (crowd == CrowdKind.Together ? holder.TakeAsync(name) : holder.TakeManyAsync(name, count));
        await using var waiters = await bench.StartPostgresAgentAsync(kind, waiterName, Lease);
        _ = waiters.CrowdAsync(name, count, crowd);
        await Task.Delay(Settle);
        var counts = await server.CountDuringAsync(Window);
        return new Cost(await server.ConnectionsAsync(holderName), await server.ConnectionsAsync(waiterName), Rate(holderName), Rate(waiterName));

        (double PerSecond, string What) Rate(string client)
        {
            var sent = counts(client);
            return (sent.Total / Window.TotalSeconds, sent.ToString());
        }
    }

    private static string Say((double PerSecond, string What) rate) => string.Create(CultureInfo.InvariantCulture, $"{rate.PerSecond:F2} ({rate.What} in {Window.TotalSeconds:F0} s)");

    private sealed record Cost(long Held, long Waiting, (double PerSecond, string What) OfHolder, (double PerSecond, string What) OfWaiters);
}
