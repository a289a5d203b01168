using System.Diagnostics;
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

    /// <summary>Until each lease has been renewed once.</summary>
    private static readonly TimeSpan Settle = TimeSpan.FromSeconds(16);

    /// <summary>
    /// For so long the runtime compiles nothing in any of the processes before they are measured. It compiles anew what has run some dozens of times, and a
    /// batch of renewals runs ten times a second: of the CPU of the first minute most is the compiler's, and not what leases that are held for long cost.
    /// </summary>
    private static readonly TimeSpan Quiet = TimeSpan.FromSeconds(10);

    /// <summary>How often it is waited for that.</summary>
    private const int QuietChecks = 12;

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
        await Task.Delay(Settle);
        await CompileAsync(agents.Values);
        await using var monitor = await CommandMonitor.StartAsync(bench.Server, bench.Address);
        var begun = Stopwatch.GetTimestamp();
        var before = await CpuAsync(agents);
        await Task.Delay(Window);
        var after = await CpuAsync(agents);
        var window = Stopwatch.GetElapsedTime(begun);
        var counts = await monitor.StopAsync();
        await Task.WhenAll(agents.Values.Select(agent => agent.DisposeAsync().AsTask()));

        double Cpu(PeerKind kind) => 100 * (after[kind] - before[kind]) / window;
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

    private static async Task CompileAsync(IReadOnlyCollection<Agent> agents)
    {
        var before = 0L;
        for (var i = 0; i < QuietChecks; i++)
        {
            var compiled = (await Task.WhenAll(agents.Select(agent => agent.CompiledAsync()))).Sum();
            if (compiled == before)
            {
                return;
            }

            before = compiled;
            await Task.Delay(Quiet);
        }
    }

    private static async Task<Dictionary<PeerKind, TimeSpan>> CpuAsync(Dictionary<PeerKind, Agent> agents)
    {
        var cpu = new Dictionary<PeerKind, TimeSpan>();
        foreach (var (kind, agent) in agents)
        {
            cpu[kind] = await agent.CpuAsync();
        }

        return cpu;
    }
}
