using Coordination.Benchmarks.Agents;
using Coordination.Benchmarks.Peers;
using Coordination.Benchmarks.Reports;
using Coordination.Benchmarks.Servers;

namespace Coordination.Benchmarks.Rows;

internal sealed class Processes : IRow
{
    private const double Target = 0.3;
    private const int Count = 10;
    private const int Calls = 10;
    private static readonly TimeSpan Lease = TimeSpan.FromSeconds(15);
    private static readonly TimeSpan Settle = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan Window = TimeSpan.FromSeconds(10);

    /// <summary>In which each of ours has asked, whenever it began to wait.</summary>
    private static readonly TimeSpan WindowOfOurs = 2 * Lease;

    public string Name => "processes";

    public string Summary => $"commands per second of each of {Count} processes that wait, while nothing happens";

    public async Task<IReadOnlyList<Line>> MeasureAsync(Bench bench)
    {
        var ours = await PerSecondAsync(bench, PeerKind.Coordination, WindowOfOurs);
        var distributedLock = await PerSecondAsync(bench, PeerKind.DistributedLock, Window);
        var redLock = await PerSecondAsync(bench, PeerKind.RedLock, Window);
        return
        [
            new Line(
                $"{Count} processes × {Calls} calls for one lock, commands/s of each process: median (most)",
                $"{ours.Median:F2} ({ours.Max:F2})",
                $"{distributedLock.Median:F0} ({distributedLock.Max:F0})",
                $"{redLock.Median:F0} ({redLock.Max:F0})",
                $"≤ {Target}",
                ours.Max <= Target),
        ];
    }

    private static async Task<Samples> PerSecondAsync(Bench bench, PeerKind kind, TimeSpan window)
    {
        var name = $"processes-{kind}";
        await using var holder = await bench.StartAgentAsync(kind, "holder", Lease);
        await holder.TakeAsync(name);
        var agents = new List<Agent>();
        for (var i = 0; i < Count; i++)
        {
            agents.Add(await bench.StartAgentAsync(kind, $"callers-{i}", Lease));
            _ = agents[i].CrowdAsync(name, Calls, CrowdKind.Together);
        }

        await Task.Delay(Settle);
        await using var monitor = await CommandMonitor.StartAsync(bench.Server, bench.Address);
        await Task.Delay(window);
        var counts = await monitor.StopAsync();
        foreach (var agent in agents)
        {
            await agent.DisposeAsync();
        }

        return Samples.Of(Enumerable.Range(0, Count).Select(i => counts($"callers-{i}").Total / window.TotalSeconds));
    }
}
