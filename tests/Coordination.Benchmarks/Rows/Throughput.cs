using System.Diagnostics;
using Coordination.Benchmarks.Peers;
using Coordination.Benchmarks.Reports;

namespace Coordination.Benchmarks.Rows;

internal sealed class Throughput : IRow
{
    private const int Tasks = 64;
    private const int PerTask = 60;
    private const int Count = 9;

    public string Name => "throughput";

    public string Summary => $"acquires and releases per second, by {Tasks} tasks on {Tasks} locks";

    public async Task<IReadOnlyList<Line>> MeasureAsync(Bench bench)
    {
        await using var contestants = await Contestants.ConnectAsync(bench);
        var perSecond = Contestants.All.ToDictionary(kind => kind, _ => new Samples());
        foreach (var kind in Contestants.All)
        {
            await CycleAllAsync(contestants, kind);
        }

        await Rounds.RunAsync(Count, Contestants.All, async kind =>
        {
            var begun = Stopwatch.GetTimestamp();
            await CycleAllAsync(contestants, kind);
            perSecond[kind].Add(Tasks * PerTask / Stopwatch.GetElapsedTime(begun).TotalSeconds);
        });
        return [LineOf(PeerKind.Coordination, "AcquireAsync", perSecond), LineOf(PeerKind.CoordinationTry, "TryAcquireAsync", perSecond)];
    }

    private static Task CycleAllAsync(Contestants contestants, PeerKind kind) =>
        Task.WhenAll(Enumerable.Range(0, Tasks).Select(task => Task.Run(() => contestants.CycleAsync(kind, PerTask, $"throughput-{kind}-{task}"))));

    private static Line LineOf(PeerKind ours, string call, Dictionary<PeerKind, Samples> perSecond)
    {
        var goal = Math.Max(perSecond[PeerKind.DistributedLock].Median, perSecond[PeerKind.RedLock].Median);
        return new Line(
            $"acquire + release by {Tasks} tasks on {Tasks} locks, per second, by {call} (the bare commands: {perSecond[PeerKind.Raw].Median:F0})",
            $"{perSecond[ours].Median:F0}",
            $"{perSecond[PeerKind.DistributedLock].Median:F0}",
            $"{perSecond[PeerKind.RedLock].Median:F0}",
            $"≥ the better: {goal:F0}",
            perSecond[ours].Median >= goal);
    }
}
