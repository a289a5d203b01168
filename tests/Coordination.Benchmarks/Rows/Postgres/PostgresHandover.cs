using System.Diagnostics;
using Coordination.Benchmarks.Peers;
using Coordination.Benchmarks.Reports;
using Coordination.Benchmarks.Servers;

namespace Coordination.Benchmarks.Rows.Postgres;

/// <summary>From the moment before the release is sent to the moment at which the waiter's code has the lock, in another process.</summary>
internal sealed class PostgresHandover : IRow
{
    private const double Target = 5;
    private const int Turns = 300;
    private const int PolledTurns = 30;
    private const int WarmUp = 40;
    private static readonly TimeSpan Lease = TimeSpan.FromSeconds(15);

    public string Name => "pg-handover";

    public string Summary => "PostgreSQL: a lock passing to a waiter in another process, by notification and by polling";

    public async Task<IReadOnlyList<Line>> MeasureAsync(Bench bench)
    {
        var server = await bench.PostgresAsync();
        var pings = new Samples();
        var ours = await PassAsync(bench, server, PeerKind.Postgres, Turns, pings);
        var peer = await PassAsync(bench, server, PeerKind.PostgresDistributedLock, Turns, new Samples());

        // The tables of those that listen are not for those that do not.
        await server.ExecuteAsync("DROP SCHEMA coordination CASCADE");
        var polled = await PassAsync(bench, server, PeerKind.PostgresPoll, PolledTurns, new Samples());
        return
        [
            new Line($"PostgreSQL: handover to another process, p50 of {ours.Count} (SELECT 1 p50 {pings.Median:F2} ms)", $"{ours.Median:F2} ms", $"{peer.Median:F2} ms", Target: $"≤ {Target} ms", IsReached: ours.Median <= Target),
            new Line("PostgreSQL: handover to another process, p99", $"{ours.P99:F2} ms", $"{peer.P99:F2} ms"),
            new Line($"PostgreSQL: handover where nodes poll every second, p50 of {polled.Count} (p99)", $"{polled.Median:F0} ms ({polled.P99:F0} ms)"),
        ];
    }

    private static async Task<Samples> PassAsync(Bench bench, PostgresServer server, PeerKind kind, int turns, Samples pings)
    {
        var name = $"handover-{kind}";
        await using var one = await bench.StartPostgresAgentAsync(kind, $"one-{kind}", Lease);
        await using var other = await bench.StartPostgresAgentAsync(kind, $"other-{kind}", Lease);
        var (holder, waiter) = (one, other);
        var warmUp = kind == PeerKind.PostgresPoll ? 2 : WarmUp;
        var took = new Samples();
        await holder.TakeAsync(name);
        for (var turn = 0; turn < warmUp + turns; turn++)
        {
            var waiting = waiter.TakeAsync(name);
            await QueuedAsync(server, kind, name);
            var begun = Stopwatch.GetTimestamp();
            await server.NumberAsync("SELECT 1");
            pings.Add(Stopwatch.GetElapsedTime(begun).TotalMilliseconds);
            var sentAt = await holder.GiveAsync(name);
            var grantedAt = await waiting;
            if (turn >= warmUp)
            {
                took.Add(Stopwatch.GetElapsedTime(sentAt, grantedAt).TotalMilliseconds);
            }

            (holder, waiter) = (waiter, holder);
        }

        return took;
    }

    private static async Task QueuedAsync(PostgresServer server, PeerKind kind, string name)
    {
        var question = kind == PeerKind.PostgresDistributedLock
            ? "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted"
            : $"SELECT count(*) FROM coordination.locks WHERE name = '{name}' AND document LIKE '%waiters%'";
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(60));
        while (await server.NumberAsync(question) == 0)
        {
            await Task.Delay(2, limit.Token);
        }
    }
}
