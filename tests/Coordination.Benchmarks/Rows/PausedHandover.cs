using System.Diagnostics;
using Coordination.Benchmarks.Agents;
using Coordination.Benchmarks.Peers;
using Coordination.Benchmarks.Reports;

namespace Coordination.Benchmarks.Rows;

/// <summary>
/// As <see cref="Handover"/>, after a pause in which processors sleep and threads are parked: beside a PING after such a pause, which costs a multiple of one
/// in a tight loop.
/// </summary>
/// <param name="permits">Null for an exclusive lock; else of a semaphore of so many permits the last one passes, and the others are held.</param>
internal sealed class PausedHandover(int? permits = null) : IRow
{
    private const double TargetMedian = 2.2;
    private const double TargetP99 = 1.5;
    private const int Count = 100;
    private const int WarmUp = 3;

    /// <summary>In quick succession, before anything is measured: code that has run a few times is compiled anew in the background, which takes the processor from what is measured.</summary>
    private const int Turns = 300;
    private static readonly TimeSpan Lease = TimeSpan.FromSeconds(15);
    private readonly Random _random = new(7);

    public string Name => permits is null ? "paused" : "paused-permit";

    public string Summary => $"{What} passing to a waiter in another process after a pause of about a second, beside a PING after such a pause";

    private string What => permits is null ? "a lock" : $"the last permit of {permits}";

    /// <summary>As an agent calls the first of many.</summary>
    private string Lock => $"{Name}-0";

    public async Task<IReadOnlyList<Line>> MeasureAsync(Bench bench)
    {
        if (permits is { } count)
        {
            var others = await bench.StartAgentAsync(PeerKind.Coordination, "others", Lease);
            await others.TakeManyAsync(Name, LockShare.PermitOf(count), count - 1, locks: 1);
        }

        var holder = await bench.StartAgentAsync(PeerKind.Coordination, "holder", Lease);
        var waiter = await bench.StartAgentAsync(PeerKind.Coordination, "waiter", Lease);
        var (took, pings) = (new Samples(), new Samples());
        await TakeAsync(holder);
        for (var i = 0; i < Turns; i++)
        {
            var waiting = TakeAsync(waiter);
            await bench.QueuedAsync(Lock, 1);
            await holder.GiveAsync(Lock);
            await waiting;
            (holder, waiter) = (waiter, holder);
            await bench.Judge.PingAsync();
        }

        for (var i = 0; i < WarmUp + Count; i++)
        {
            var waiting = TakeAsync(waiter);
            await bench.QueuedAsync(Lock, 1);
            await PauseAsync();
            var sentAt = await holder.GiveAsync(Lock);
            var grantedAt = await waiting;
            (holder, waiter) = (waiter, holder);

            await PauseAsync();
            var begun = Stopwatch.GetTimestamp();
            await bench.Judge.PingAsync();
            var ping = Stopwatch.GetElapsedTime(begun);
            if (i >= WarmUp)
            {
                took.Add(Stopwatch.GetElapsedTime(sentAt, grantedAt).TotalMilliseconds);
                pings.Add(ping.TotalMilliseconds);
            }
        }

        return
        [
            new Line(
                $"handover of {What} to another process after a pause of about a second, p50 of {Count} (PING in the same rhythm: {pings.Median:F2} ms)",
                $"{took.Median:F2} ms = {took.Median / pings.Median:F1} × PING",
                Target: $"≤ {TargetMedian} × PING",
                IsReached: took.Median <= TargetMedian * pings.Median),
            new Line(
                $"… p99 (PING: {pings.P99:F2} ms)",
                $"{took.P99:F2} ms = {took.P99 / pings.P99:F1} × PING",
                Target: $"≤ {TargetP99} × PING",
                IsReached: took.P99 <= TargetP99 * pings.P99),
        ];
    }

    private Task<long> TakeAsync(Agent agent) => permits is { } count ? agent.TakeAsync(Lock, LockShare.PermitOf(count)) : agent.TakeAsync(Lock);

    private Task PauseAsync() => Task.Delay(_random.Next(800, 1200));
}
