using Coordination.Benchmarks.Agents;
using Coordination.Benchmarks.Peers;
using Coordination.Benchmarks.Reports;
using Coordination.Benchmarks.Servers;

namespace Coordination.Benchmarks.Rows;

/// <summary>What it costs to hold many leases. A process for each library, all in the same window.</summary>
internal sealed class Leases : IRow
{
    private const int Count = 10_000;
    private const double CpuTarget = 0.25;
    private const double CommandsTarget = 0.02;
    private static readonly TimeSpan Lease = TimeSpan.FromSeconds(30);

    private static readonly TimeSpan Window = TimeSpan.FromSeconds(30);

    public string Name => "leases";

    public string Summary => $"CPU and commands of {Count:N0} leases of 30 s, held in one process";

    public async Task<IReadOnlyList<Line>> MeasureAsync(Bench bench)
    {
        var agents = new Dictionary<PeerKind, Agent>();
        foreach (var kind in Peer.Libraries)
        {
            agents[kind] = await bench.StartAgentAsync(kind, $"{kind}", Lease);
            await agents[kind].TakeManyAsync($"leases-{kind}", Count);
        }

        // Its connection has a heartbeat, too, which is in every one of the figures.
        agents[PeerKind.Raw] = await bench.StartAgentAsync(PeerKind.Raw, "idle", Lease);
        await AgentCpu.SettleAsync(agents.Values);
        await using var monitor = await CommandMonitor.StartAsync(bench.Server, bench.Address);
        var (cpu, window) = await AgentCpu.MeasureAsync(agents, Window);
        var counts = await monitor.StopAsync();
        await Task.WhenAll(agents.Values.Select(agent => agent.DisposeAsync().AsTask()));

        double Cpu(PeerKind kind) => cpu[kind];
        double Commands(PeerKind kind) => counts($"{kind}").Total / window.TotalSeconds;
        var cpuGoal = CpuTarget * Cpu(PeerKind.DistributedLock);
        var commandsGoal = CommandsTarget * Commands(PeerKind.DistributedLock);
        return
        [
            new Line(
                $"{Count:N0} leases of {Lease.TotalSeconds:F0} s held in one process, CPU of one core (a process with a connection and no lease: {Cpu(PeerKind.Raw):F2} %)",
                $"{Cpu(PeerKind.Coordination):F2} %",
                $"{Cpu(PeerKind.DistributedLock):F1} %",
                $"{Cpu(PeerKind.RedLock):F1} %",
                $"≤ 1/4 of DistributedLock's: {cpuGoal:F2} %",
                Cpu(PeerKind.Coordination) <= cpuGoal),
            new Line(
                "the same, round trips per second",
                $"{Commands(PeerKind.Coordination):F1}",
                $"{Commands(PeerKind.DistributedLock):F0}",
                $"{Commands(PeerKind.RedLock):F0}",
                $"≤ 1/50 of DistributedLock's: {commandsGoal:F1}",
                Commands(PeerKind.Coordination) <= commandsGoal),
        ];
    }
}
