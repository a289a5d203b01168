using System.Diagnostics;
using Coordination.Benchmarks.Agents;
using Coordination.Benchmarks.Peers;
using Coordination.Benchmarks.Reports;

namespace Coordination.Benchmarks.Rows;

/// <summary>Holders are killed, and it is measured how long after the end of the lease on the server the waiter's code has the lock.</summary>
internal sealed class Takeover : IRow
{
    private const double TargetP50 = 20;
    private const double TargetMax = 250;
    private const int Rounds = 4;
    private const int AtOnce = 5;
    private static readonly TimeSpan Lease = TimeSpan.FromSeconds(2);

    public string Name => "takeover";

    public string Summary => "time beyond the lease's end after the holder's process was killed";

    public async Task<IReadOnlyList<Line>> MeasureAsync(Bench bench)
    {
        var beyond = new Dictionary<PeerKind, Samples>();
        foreach (var kind in Peer.Libraries)
        {
            beyond[kind] = await MeasureAsync(bench, kind);
        }

        var ours = beyond[PeerKind.Coordination];
        return
        [
            LineOf($"takeover after SIGKILL, beyond the lease's end, p50 of {ours.Count}", samples => samples.Median, TargetP50),
            LineOf("takeover after SIGKILL, beyond the lease's end, max", samples => samples.Max, TargetMax),
        ];

        Line LineOf(string what, Func<Samples, double> figure, double target) => new(
            what,
            $"{figure(ours):F1} ms",
            $"{figure(beyond[PeerKind.DistributedLock]):F0} ms",
            $"{figure(beyond[PeerKind.RedLock]):F0} ms",
            $"≤ {target} ms",
            figure(ours) <= target);
    }

    private static async Task<Samples> MeasureAsync(Bench bench, PeerKind kind)
    {
        var beyond = new Samples();
        await using var waiter = await bench.StartAgentAsync(kind, "waiter", Lease);
        for (var round = 0; round < Rounds; round++)
        {
            await Task.WhenAll(Enumerable.Range(0, AtOnce).Select(number => KillAsync(bench, kind, $"takeover-{kind}-{round}-{number}", waiter, beyond)));
        }

        return beyond;
    }

    private static async Task KillAsync(Bench bench, PeerKind kind, string name, Agent waiter, Samples beyond)
    {
        await using var holder = await bench.StartAgentAsync(kind, "holder", Lease);
        await holder.TakeAsync(name);
        var waiting = waiter.TakeAsync(name);
        // The kill meets the lease at any age, and after renewals.
        await Task.Delay(Random.Shared.Next(300, 1500));
        await holder.KillAsync();
        var before = Stopwatch.GetTimestamp();
        var left = await Peer.RestOfAsync(kind, bench.Judge, name) ?? throw new InvalidOperationException($"'{name}' was not held when its holder was killed.");
        var asked = Stopwatch.GetElapsedTime(before) / 2;
        beyond.Add((Stopwatch.GetElapsedTime(before, await waiting) - asked - left).TotalMilliseconds);
        await waiter.GiveAsync(name);
    }
}
