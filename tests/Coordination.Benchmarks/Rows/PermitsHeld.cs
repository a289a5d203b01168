using Coordination.Benchmarks.Agents;
using Coordination.Benchmarks.Peers;
using Coordination.Benchmarks.Reports;

namespace Coordination.Benchmarks.Rows;

/// <summary>As <see cref="Leases"/>, of permits: all of one semaphore, and those of many small ones. None of them is lost meanwhile.</summary>
internal sealed class PermitsHeld : IRow
{
    private const int Count = LockCapacity.MaxPermits;
    private const int OfEach = 10;
    private static readonly TimeSpan Lease = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan Window = TimeSpan.FromSeconds(30);

    /// <summary>How many semaphores there are.</summary>
    private static readonly int[] Spreads = [1, Count / OfEach];

    public string Name => "permits";

    public string Summary => $"CPU of {Count:N0} permits with leases of 30 s, held in one process, and how many of them are lost";

    public async Task<IReadOnlyList<Line>> MeasureAsync(Bench bench)
    {
        var agents = new Dictionary<(PeerKind Library, int Locks), Agent>();
        foreach (var locks in Spreads)
        {
            foreach (var kind in (PeerKind[])[PeerKind.Coordination, PeerKind.DistributedLock])
            {
                var agent = agents[(kind, locks)] = await bench.StartAgentAsync(kind, $"{kind}-{locks}", Lease);
                await agent.TakeManyAsync($"permits-{kind}-{locks}", LockShare.PermitOf(Count / locks), Count, locks);
            }
        }

        // Its connection has a heartbeat, too, which is in every one of the figures.
        var idle = (PeerKind.Raw, 0);
        agents[idle] = await bench.StartAgentAsync(PeerKind.Raw, "idle", Lease);
        await AgentCpu.SettleAsync(agents.Values);
        var (cpu, _) = await AgentCpu.MeasureAsync(agents, Window);
        var lines = new List<Line>();
        foreach (var locks in Spreads)
        {
            var (ours, theirs) = ((PeerKind.Coordination, locks), (PeerKind.DistributedLock, locks));
            var lost = await agents[ours].LostAsync();
            lines.Add(new Line(
                $"{Count:N0} permits of {locks:N0} semaphore(s) of {Count / locks:N0}, leases of {Lease.TotalSeconds:F0} s, held in one process, CPU of one core (a process with a connection and no lease: {cpu[idle]:F2} %); lost",
                $"{cpu[ours]:F2} %; {lost} lost",
                $"{cpu[theirs]:F1} %; {await agents[theirs].LostAsync()} lost",
                Target: "less than DistributedLock's, and none lost",
                IsReached: cpu[ours] < cpu[theirs] && lost == 0));
        }

        return lines;
    }
}
