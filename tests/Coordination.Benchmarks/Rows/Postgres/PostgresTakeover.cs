using System.Diagnostics;
using Coordination.Benchmarks.Agents;
using Coordination.Benchmarks.Peers;
using Coordination.Benchmarks.Reports;
using Coordination.Benchmarks.Servers;

namespace Coordination.Benchmarks.Rows.Postgres;

/// <summary>Holders are killed, and it is measured when the waiter's code has the lock.</summary>
internal sealed class PostgresTakeover : IRow
{
    private const double TargetMax = 250;
    private const int Rounds = 4;
    private const int AtOnce = 5;
    private static readonly TimeSpan Lease = TimeSpan.FromSeconds(2);

    public string Name => "pg-takeover";

    public string Summary => "PostgreSQL: time beyond the lease's end after the holder's process was killed";

    public async Task<IReadOnlyList<Line>> MeasureAsync(Bench bench)
    {
        var server = await bench.PostgresAsync();
        var (beyond, afterKill) = await MeasureAsync(bench, server, PeerKind.Postgres);
        var (_, peer) = await MeasureAsync(bench, server, PeerKind.PostgresDistributedLock);
        return
        [
            new Line(
                $"PostgreSQL: takeover after SIGKILL, beyond the lease's end, p50 / p90 (max) of {beyond.Count}",
                $"{beyond.Median:F1} / {beyond.P90:F1} ms ({beyond.Max:F1} ms)",
                "has no lease",
                Target: $"max ≤ {TargetMax} ms",
                IsReached: beyond.Max <= TargetMax),
            new Line(
                $"PostgreSQL: the same since the kill, lease {Lease.TotalSeconds:F0} s",
                $"{afterKill.Median:F0} ms ({afterKill.Max:F0} ms)",
                $"{peer.Median:F0} ms ({peer.Max:F0} ms): its connections are closed by the system; with the machine gone they are not"),
        ];
    }

    private static async Task<(Samples Beyond, Samples AfterKill)> MeasureAsync(Bench bench, PostgresServer server, PeerKind kind)
    {
        var (beyond, afterKill) = (new Samples(), new Samples());
        await using var waiter = await bench.StartPostgresAgentAsync(kind, $"waiter-{kind}", Lease);
        for (var round = 0; round < Rounds; round++)
        {
            await Task.WhenAll(Enumerable.Range(0, AtOnce).Select(number => KillAsync(bench, server, kind, $"takeover-{kind}-{round}-{number}", waiter, beyond, afterKill)));
        }

        return (beyond, afterKill);
    }

    private static async Task KillAsync(Bench bench, PostgresServer server, PeerKind kind, string name, Agent waiter, Samples beyond, Samples afterKill)
    {
        await using var holder = await bench.StartPostgresAgentAsync(kind, $"holder-{kind}", Lease);
        await holder.TakeAsync(name);
        var waiting = waiter.TakeAsync(name);
        // The kill meets the lease at any age, and after renewals.
        await Task.Delay(Random.Shared.Next(300, 1500));
        var killed = Stopwatch.GetTimestamp();
        await holder.KillAsync();
        var before = Stopwatch.GetTimestamp();
        var left = kind == PeerKind.PostgresDistributedLock
            ? 0
            : await server.NumberAsync($"SELECT extract(epoch FROM lasts_until - clock_timestamp()) * 1000000 FROM coordination.locks WHERE name = '{name}'");
        var asked = Stopwatch.GetElapsedTime(before) / 2;
        var granted = await waiting;
        beyond.Add((Stopwatch.GetElapsedTime(before, granted) - asked).TotalMilliseconds - (left / 1000.0));
        afterKill.Add(Stopwatch.GetElapsedTime(killed, granted).TotalMilliseconds);
        await waiter.GiveAsync(name);
    }
}
