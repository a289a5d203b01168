using System.Diagnostics;
using Coordination.Benchmarks.Agents;
using Coordination.Benchmarks.Peers;
using Coordination.Benchmarks.Reports;

namespace Coordination.Benchmarks.Rows;

/// <summary>From the moment before the release is sent to the moment at which the waiter's code has the lock, in another process.</summary>
internal sealed class Handover : IRow
{
    private const double TargetPings = 5;
    private const double TargetP99 = 3;
    private const int Ours = 400;
    private const int WarmUp = 50;
    private const int LocksOfPeers = 8;
    private const int RoundsOfPeers = 6;
    private static readonly TimeSpan Lease = TimeSpan.FromSeconds(15);

    public string Name => "handover";

    public string Summary => "a lock passing to a waiter in another process";

    public async Task<IReadOnlyList<Line>> MeasureAsync(Bench bench)
    {
        var pings = new Samples();
        var ours = await OursAsync(bench, pings);
        var distributedLock = await PeerAsync(bench, PeerKind.DistributedLock);
        var redLock = await PeerAsync(bench, PeerKind.RedLock);
        return
        [
            new Line(
                $"handover to another process, p50 of {ours.Count} (PING p50 {pings.Median:F3} ms)",
                $"{ours.Median:F3} ms = {ours.Median / pings.Median:F1} × PING",
                $"{distributedLock.Median:F0} ms",
                $"{redLock.Median:F0} ms",
                $"≤ {TargetPings} × PING",
                ours.Median <= TargetPings * pings.Median),
            new Line(
                "handover to another process, p99",
                $"{ours.P99:F2} ms",
                $"{distributedLock.P99:F0} ms",
                $"{redLock.P99:F0} ms",
                $"≤ {TargetP99} ms",
                ours.P99 <= TargetP99),
        ];
    }

    private static async Task<Samples> OursAsync(Bench bench, Samples pings)
    {
        const string Lock = "handover";
        var holder = await bench.StartAgentAsync(PeerKind.Coordination, "holder", Lease);
        var waiter = await bench.StartAgentAsync(PeerKind.Coordination, "waiter", Lease);
        var took = new Samples();
        await holder.TakeAsync(Lock);
        for (var i = 0; i < WarmUp + Ours; i++)
        {
            var waiting = waiter.TakeAsync(Lock);
            await bench.QueuedAsync(Lock, 1);
            for (var ping = 0; ping < 5; ping++)
            {
                var begun = Stopwatch.GetTimestamp();
                await bench.Judge.PingAsync();
                if (i >= WarmUp)
                {
                    pings.Add(Stopwatch.GetElapsedTime(begun).TotalMilliseconds);
                }
            }

            var sentAt = await holder.GiveAsync(Lock);
            var grantedAt = await waiting;
            if (i >= WarmUp)
            {
                took.Add(Stopwatch.GetElapsedTime(sentAt, grantedAt).TotalMilliseconds);
            }

            (holder, waiter) = (waiter, holder);
        }

        return took;
    }

    /// <summary>Several locks at a time, for a waiter that asks now and then takes long; each release comes at a moment of its own.</summary>
    private static async Task<Samples> PeerAsync(Bench bench, PeerKind kind)
    {
        var holder = await bench.StartAgentAsync(kind, "holder", Lease);
        var waiter = await bench.StartAgentAsync(kind, "waiter", Lease);
        var took = new Samples();
        await Task.WhenAll(Enumerable.Range(0, LocksOfPeers).Select(number => PassAsync(holder, waiter, $"handover-{kind}-{number}", took)));
        return took;
    }

    private static async Task PassAsync(Agent holder, Agent waiter, string name, Samples took)
    {
        var random = new Random(name[^1]);
        await holder.TakeAsync(name);
        for (var round = 0; round < RoundsOfPeers; round++)
        {
            var waiting = waiter.TakeAsync(name);
            await Task.Delay(random.Next(400, 1200));
            var sentAt = await holder.GiveAsync(name);
            took.Add(Stopwatch.GetElapsedTime(sentAt, await waiting).TotalMilliseconds);
            (holder, waiter) = (waiter, holder);
        }
    }
}
