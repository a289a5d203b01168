using Coordination.Benchmarks.Peers;
using Coordination.Benchmarks.Reports;

namespace Coordination.Benchmarks.Rows;

internal sealed class Allocations : IRow
{
    private const int WarmUp = 1000;
    private const int PerRound = 1000;
    private const int Count = 5;

    public string Name => "allocations";

    public string Summary => "bytes allocated for an acquire and release, by all threads";

    public async Task<IReadOnlyList<Line>> MeasureAsync(Bench bench)
    {
        await using var contestants = await Contestants.ConnectAsync(bench);
        var bytes = Contestants.All.ToDictionary(kind => kind, _ => new Samples());
        foreach (var kind in Contestants.All)
        {
            await contestants.CycleAsync(kind, WarmUp, $"allocations-{kind}");
        }

        await Rounds.RunAsync(Count, Contestants.All, async kind =>
        {
            var before = GC.GetTotalAllocatedBytes(precise: true);
            await contestants.CycleAsync(kind, PerRound, $"allocations-{kind}");
            bytes[kind].Add((GC.GetTotalAllocatedBytes(precise: true) - before) / (double)PerRound);
        });
        return [LineOf(PeerKind.Coordination, "AcquireAsync", bytes), LineOf(PeerKind.CoordinationTry, "TryAcquireAsync", bytes)];
    }

    private static Line LineOf(PeerKind ours, string call, Dictionary<PeerKind, Samples> bytes)
    {
        var half = Math.Min(bytes[PeerKind.DistributedLock].Median, bytes[PeerKind.RedLock].Median) / 2;
        return new Line(
            $"bytes allocated per acquire + release, by {call} (the bare commands: {bytes[PeerKind.Raw].Median:F0})",
            $"{bytes[ours].Median:F0}",
            $"{bytes[PeerKind.DistributedLock].Median:F0}",
            $"{bytes[PeerKind.RedLock].Median:F0}",
            $"< half of the better: {half:F0}",
            bytes[ours].Median < half);
    }
}
