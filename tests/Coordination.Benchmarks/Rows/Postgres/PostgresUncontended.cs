using System.Diagnostics;
using Coordination.Benchmarks.Peers;
using Coordination.Benchmarks.Peers.Postgres;
using Coordination.Benchmarks.Reports;

namespace Coordination.Benchmarks.Rows.Postgres;

internal sealed class PostgresUncontended : IRow
{
    private const int WarmUp = 200;
    private const int PerRound = 40;
    private const int Count = 21;
    private static readonly TimeSpan Lease = TimeSpan.FromSeconds(30);
    private static readonly PeerKind[] All = [PeerKind.PostgresStatements, PeerKind.PostgresTransactions, PeerKind.Postgres, PeerKind.PostgresTry, PeerKind.PostgresDistributedLock];

    public string Name => "pg-uncontended";

    public string Summary => "PostgreSQL: acquire and release, one after another, against the bare statements";

    public async Task<IReadOnlyList<Line>> MeasureAsync(Bench bench)
    {
        var server = await bench.PostgresAsync();
        var peers = new Dictionary<PeerKind, ILockPeer>();
        foreach (var kind in All)
        {
            peers[kind] = PostgresPeer.Create(kind, await server.AddressOfAsync($"{kind}"), Lease);
        }

        var took = All.ToDictionary(kind => kind, _ => new Samples());
        foreach (var kind in All)
        {
            await CycleAsync(peers[kind], kind, WarmUp);
        }

        await Rounds.RunAsync(Count, All, async kind =>
        {
            var begun = Stopwatch.GetTimestamp();
            await CycleAsync(peers[kind], kind, PerRound);
            took[kind].Add(Stopwatch.GetElapsedTime(begun).TotalMicroseconds / PerRound);
        });
        await Task.WhenAll(peers.Values.Select(peer => peer.DisposeAsync().AsTask()));
        return
        [
            LineOf(PeerKind.PostgresStatements, "a bare INSERT … ON CONFLICT and DELETE, each committed by itself", took),
            LineOf(PeerKind.PostgresTransactions, "two bare transactions of two round trips each", took),
        ];
    }

    private static async Task CycleAsync(ILockPeer peer, PeerKind kind, int count)
    {
        for (var i = 0; i < count; i++)
        {
            await using var held = await peer.AcquireAsync($"uncontended-{kind}");
        }
    }

    private static Line LineOf(PeerKind bare, string what, Dictionary<PeerKind, Samples> took)
    {
        return new Line(
            $"PostgreSQL: acquire + release, uncontended: × {what} ({took[bare].Median:F0} µs)",
            $"{Say(PeerKind.Postgres)}; by TryAcquireAsync {Say(PeerKind.PostgresTry)}",
            Say(PeerKind.PostgresDistributedLock));

        string Say(PeerKind kind) => $"{took[kind].RatioTo(took[bare]):F2} × ({took[kind].Median:F0} µs)";
    }
}
