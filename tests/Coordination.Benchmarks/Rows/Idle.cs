using Coordination.Benchmarks.Agents;
using Coordination.Benchmarks.Peers;
using Coordination.Benchmarks.Reports;
using Coordination.Benchmarks.Servers;

namespace Coordination.Benchmarks.Rows;

/// <summary>What waiters send while nothing happens. Their locks are held, and renewed, by another process, whose commands are not theirs.</summary>
internal sealed class Idle : IRow
{
    private const double Target = 1;
    private const int Waiters = 1000;
    private static readonly TimeSpan Lease = TimeSpan.FromSeconds(15);
    private static readonly TimeSpan Settle = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan Window = TimeSpan.FromSeconds(10);

    public string Name => "idle";

    public string Summary => $"commands per second of {Waiters} waiters in one process, while nothing happens";

    public async Task<IReadOnlyList<Line>> MeasureAsync(Bench bench)
    {
        var together = await CountAsync(bench, PeerKind.Coordination, CrowdKind.Together);
        var distributedLock = await CountAsync(bench, PeerKind.DistributedLock, CrowdKind.Together);
        var redLock = await CountAsync(bench, PeerKind.RedLock, CrowdKind.Together);
        var apart = await CountAsync(bench, PeerKind.Coordination, CrowdKind.Apart);
        var spread = await CountAsync(bench, PeerKind.Coordination, CrowdKind.Spread);
        return
        [
            new Line(
                $"{Waiters} waiters of one lock in one process, {Window.TotalSeconds:F0} s of nothing, commands/s",
                $"{PerSecond(together):F1} ({together})",
                $"{PerSecond(distributedLock):F0}",
                $"{PerSecond(redLock):F0}",
                $"≤ {Target}",
                PerSecond(together) <= Target),
            new Line("the same by waiters with an owner each", $"{PerSecond(apart):F1} ({apart})"),
            new Line($"the same by waiters of a lock each, {Waiters} locks", $"{PerSecond(spread):F1} ({spread})"),
        ];
    }

    private static double PerSecond(CommandCount count) => count.Total / Window.TotalSeconds;

    private static async Task<CommandCount> CountAsync(Bench bench, PeerKind kind, CrowdKind crowd)
    {
        var name = $"idle-{kind}-{crowd}";
        await using var holder = await bench.StartAgentAsync(kind, "holder", Lease);
        await using var waiters = await bench.StartAgentAsync(kind, "waiters", Lease);
        await (crowd == CrowdKind.Spread ? holder.TakeManyAsync(name, Waiters) : holder.TakeAsync(name));
        _ = waiters.CrowdAsync(name, Waiters, crowd);
        await Task.Delay(Settle);
        await using var monitor = await CommandMonitor.StartAsync(bench.Server, bench.Address);
        await Task.Delay(Window);
        return (await monitor.StopAsync())("waiters");
    }
}
