using System.Diagnostics;
using Coordination.Benchmarks.Agents;
using Coordination.Benchmarks.Peers;
using Coordination.Benchmarks.Reports;
using Coordination.Benchmarks.Servers;

namespace Coordination.Benchmarks.Rows;

/// <summary>One lock through many waiters in turn, each with a place of its own in the queue.</summary>
internal sealed class Turns : IRow
{
    private const double Growth = 1.1;
    private static readonly int[] Crowds = [10, 100, 1000];
    private static readonly TimeSpan Lease = TimeSpan.FromSeconds(30);

    public string Name => "turns";

    public string Summary => "commands per handover of one lock through 10, 100 and 1,000 waiters";

    public async Task<IReadOnlyList<Line>> MeasureAsync(Bench bench) =>
        [await LineAsync(bench, processes: 1), await LineAsync(bench, processes: 5)];

    private static async Task<Line> LineAsync(Bench bench, int processes)
    {
        var costs = new List<Cost>();
        foreach (var crowd in Crowds)
        {
            costs.Add(await PassAsync(bench, processes, crowd));
        }

        // The first waiters are the dearest: their first commands are spread over few handovers.
        return new Line(
            $"one lock through {string.Join(", ", Crowds)} waiters in turn, in {processes} process(es): commands per handover (of those within scripts; ms per handover)",
            string.Join("; ", costs.Select(cost => $"{cost.Commands:F2} ({cost.InScripts:F1}; {cost.Milliseconds:F2} ms)")),
            Target: "must not grow",
            IsReached: costs[^1].Commands <= Growth * costs[0].Commands && costs[^1].InScripts <= Growth * costs[0].InScripts);
    }

    private static async Task<Cost> PassAsync(Bench bench, int processes, int crowd)
    {
        var name = $"turns-{processes}-{crowd}";
        await using var holder = await bench.StartAgentAsync(PeerKind.Coordination, "holder", Lease);
        var agents = new List<Agent>();
        for (var i = 0; i < processes; i++)
        {
            agents.Add(await bench.StartAgentAsync(PeerKind.Coordination, $"turns-{i}", Lease));
        }

        // Once more than is measured: new processes compile their code meanwhile, which takes longer than all of the turns.
        var before = await QueueAsync(bench, holder, agents, $"{name}-before", Crowds[^1]);
        await before();
        var pass = await QueueAsync(bench, holder, agents, name, crowd);
        await using var monitor = await CommandMonitor.StartAsync(bench.Server, bench.Address);
        var begun = Stopwatch.GetTimestamp();
        await pass();
        var took = Stopwatch.GetElapsedTime(begun);
        var counts = await monitor.StopAsync();
        foreach (var agent in agents)
        {
            await agent.DisposeAsync();
        }

        var commands = counts("holder").Total + Enumerable.Range(0, processes).Sum(i => counts($"turns-{i}").Total);
        return new Cost(commands / (double)crowd, monitor.InScripts / (double)crowd, took.TotalMilliseconds / crowd);
    }

    /// <summary>Lets a crowd wait for a lock.</summary>
    /// <returns>Passes the lock through it.</returns>
    private static async Task<Func<Task>> QueueAsync(Bench bench, Agent holder, List<Agent> agents, string name, int crowd)
    {
        await holder.TakeAsync(name);
        var turns = agents.ConvertAll(agent => agent.CrowdAsync(name, crowd / agents.Count, CrowdKind.Apart));
        await bench.QueuedAsync(name, crowd);
        return async () =>
        {
            await holder.GiveAsync(name);
            await Task.WhenAll(turns);
        };
    }

    private sealed record Cost(double Commands, double InScripts, double Milliseconds);
}
