using Coordination.Benchmarks.Agents;
using Coordination.Benchmarks.Peers;
using Coordination.Benchmarks.Reports;
using Coordination.Benchmarks.Servers;

namespace Coordination.Benchmarks.Rows;

/// <summary>What waiting calls send while nothing happens. Their locks are held, and renewed, by another process, whose commands are not theirs.</summary>
internal sealed class Idle : IRow
{
    private const double Target = 1;
    private const int Calls = 1000;
    private static readonly TimeSpan Lease = TimeSpan.FromSeconds(15);
    private static readonly TimeSpan Settle = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan Window = TimeSpan.FromSeconds(10);

    /// <summary>Our waiters ask when the lease that they know of ends: a window of two leases has its share of that, whenever it begins.</summary>
    private static readonly TimeSpan WindowOfOurs = 2 * Lease;

    public string Name => "idle";

    public string Summary => $"commands per second of {Calls} calls in one process, while nothing happens";

    public async Task<IReadOnlyList<Line>> MeasureAsync(Bench bench)
    {
        var ours = await Task.WhenAll(
            CountAsync(bench, PeerKind.Coordination, CrowdKind.Together, WindowOfOurs),
            CountAsync(bench, PeerKind.Coordination, CrowdKind.Apart, WindowOfOurs),
            CountAsync(bench, PeerKind.Coordination, CrowdKind.Spread, WindowOfOurs));
        var distributedLock = await CountAsync(bench, PeerKind.DistributedLock, CrowdKind.Together, Window);
        var redLock = await CountAsync(bench, PeerKind.RedLock, CrowdKind.Together, Window);
        return
        [
            new Line(
                $"{Calls} calls for one lock in one process, while nothing happens, commands/s",
                Say(ours[0]),
                $"{distributedLock.Total / Window.TotalSeconds:F0}",
                $"{redLock.Total / Window.TotalSeconds:F0}",
                $"≤ {Target}",
                PerSecond(ours[0]) <= Target),
            new Line("the same by calls with an owner each", Say(ours[1])),
            new Line($"the same by calls for a lock each, {Calls} locks", Say(ours[2])),
        ];
    }

    private static double PerSecond(CommandCount ours) => ours.Total / WindowOfOurs.TotalSeconds;

    private static string Say(CommandCount ours) => $"{PerSecond(ours):F2} (in {WindowOfOurs.TotalSeconds:F0} s: {ours})";

    private static async Task<CommandCount> CountAsync(Bench bench, PeerKind kind, CrowdKind crowd, TimeSpan window)
    {
        var name = $"idle-{kind}-{crowd}";
        await using var holder = await bench.StartAgentAsync(kind, "holder", Lease);
        await using var callers = await bench.StartAgentAsync(kind, $"callers-{crowd}", Lease);
        await (crowd == CrowdKind.Spread ? holder.TakeManyAsync(name, Calls) : holder.TakeAsync(name));
        _ = callers.CrowdAsync(name, Calls, crowd);
        await Task.Delay(Settle);
        await using var monitor = await CommandMonitor.StartAsync(bench.Server, bench.Address);
        await Task.Delay(window);
        return (await monitor.StopAsync())($"callers-{crowd}");
    }
}
