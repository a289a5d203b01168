using System.Diagnostics;
using System.Globalization;
using Coordination.Benchmarks.Peers;
using Coordination.Benchmarks.Reports;
using Coordination.Benchmarks.Servers;

namespace Coordination.Benchmarks.Rows;

/// <summary>As <see cref="Throughput"/>, for seconds: a short round measures a burst.</summary>
internal sealed class Sustained : IRow
{
    private const int Tasks = 64;
    private const int Count = 3;
    private static readonly TimeSpan Round = TimeSpan.FromSeconds(2.5);

    public string Name => "sustained";

    public string Summary => $"acquires and releases per second, by {Tasks} tasks on {Tasks} locks for seconds, on both kinds of threads";

    public async Task<IReadOnlyList<Line>> MeasureAsync(Bench bench)
    {
        var lines = new List<Line>();
        foreach (var threads in Enum.GetValues<ConnectionThreads>())
        {
            await using var contestants = await Contestants.ConnectAsync(bench, threads);
            var costs = Contestants.All.ToDictionary(kind => kind, _ => new List<Cost>());
            foreach (var kind in Contestants.All)
            {
                await MeasureAsync(bench, contestants, kind, Round / 2);
            }

            await Rounds.RunAsync(Count, Contestants.All, async kind => costs[kind].Add(await MeasureAsync(bench, contestants, kind, Round)));
            lines.Add(LineOf(threads, PeerKind.Coordination, "AcquireAsync", costs));
            lines.Add(LineOf(threads, PeerKind.CoordinationTry, "TryAcquireAsync", costs));
        }

        return lines;
    }

    private static async Task<Cost> MeasureAsync(Bench bench, Contestants contestants, PeerKind kind, TimeSpan length)
    {
        var server = await ServerTimeAsync(bench);
        var client = Environment.CpuUsage.TotalTime;
        var (collections, pauses, begun) = (GC.CollectionCount(0), GC.GetTotalPauseDuration(), Stopwatch.GetTimestamp());
        var until = begun + (long)(length.TotalSeconds * Stopwatch.Frequency);
        var counts = await Task.WhenAll(Enumerable.Range(0, Tasks).Select(task => Task.Run(() => contestants.CycleUntilAsync(kind, until, $"sustained-{kind}-{task}"))));
        var (took, pairs) = (Stopwatch.GetElapsedTime(begun), (double)counts.Sum());
        return new Cost(
            pairs / took.TotalSeconds,
            (Environment.CpuUsage.TotalTime - client).TotalMicroseconds / pairs,
            (await ServerTimeAsync(bench) - server) * 1e6 / pairs,
            GC.CollectionCount(0) - collections,
            (GC.GetTotalPauseDuration() - pauses) / took);
    }

    /// <summary>The processor time that the server has taken, in seconds.</summary>
    private static async Task<double> ServerTimeAsync(Bench bench) =>
        (await bench.Server.InfoAsync("cpu")).SelectMany(section => section)
            .Where(line => line.Key is "used_cpu_user" or "used_cpu_sys")
            .Sum(line => double.Parse(line.Value, CultureInfo.InvariantCulture));

    private static Line LineOf(ConnectionThreads threads, PeerKind ours, string call, Dictionary<PeerKind, List<Cost>> costs)
    {
        var goal = Math.Max(PerSecond(PeerKind.DistributedLock), PerSecond(PeerKind.RedLock));
        return new Line(
            $"sustained: acquire + release by {Tasks} tasks on {Tasks} locks, per second, by {call}, threads: {threads} (the bare commands: {Say(PeerKind.Raw)})",
            Say(ours),
            Say(PeerKind.DistributedLock),
            Say(PeerKind.RedLock),
            $"≥ the better: {goal:F0}",
            PerSecond(ours) >= goal);

        double PerSecond(PeerKind kind) => Median(kind, cost => cost.PerSecond);

        double Median(PeerKind kind, Func<Cost, double> figure) => Samples.Of(costs[kind].Select(figure)).Median;

        string Say(PeerKind kind) => string.Create(
            CultureInfo.InvariantCulture,
            $"{PerSecond(kind):F0}; CPU a pair: client {Median(kind, cost => cost.ClientMicroseconds):F1} µs, server {Median(kind, cost => cost.ServerMicroseconds):F1} µs; {Median(kind, cost => cost.Collections):F0} collections, {Median(kind, cost => cost.Pauses):P1} of the time");
    }

    private sealed record Cost(double PerSecond, double ClientMicroseconds, double ServerMicroseconds, double Collections, double Pauses);
}
