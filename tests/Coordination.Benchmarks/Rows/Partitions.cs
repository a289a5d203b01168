using System.Diagnostics;
using Coordination.Benchmarks.Agents;
using Coordination.Benchmarks.Reports;
using Coordination.Benchmarks.Servers;

namespace Coordination.Benchmarks.Rows;

/// <summary>A partitioned service on nodes that come, stop and are killed, each a process. That no partition is led twice is judged by what their work notes, on the one clock of the machine.</summary>
internal sealed class Partitions : IRow
{
    private const int Count = 1000;
    private const int Nodes = 3;
    private const double Target = 10;
    private static readonly TimeSpan Lease = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan Window = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(60);

    public string Name => "partitions";

    public string Summary => $"{Count:N0} partitions over {Nodes} nodes: start, a fourth node, a killed one, a stopped one, and commands per second meanwhile";

    public async Task<IReadOnlyList<Line>> MeasureAsync(Bench bench)
    {
        var begun = Stopwatch.GetTimestamp();
        var nodes = Enumerable.Range(0, Nodes).Select(i => PartitionAgent.Start(bench.Address, $"node-{i}", Lease, Count)).ToList();
        var all = nodes.ToList();
        try
        {
            await Task.WhenAll(nodes.Select(node => node.Started));
            await BalancedAsync(nodes);
            var atStart = Seconds(begun, LastBegin(nodes));
            var atOnce = Moves(all) - Count;

            await Task.Delay(2 * Lease);
            var idle = await CommandsAsync(bench);

            var before = Moves(all);
            begun = Stopwatch.GetTimestamp();
            var fourth = PartitionAgent.Start(bench.Address, $"node-{Nodes}", Lease, Count);
            nodes.Add(fourth);
            all.Add(fourth);
            await BalancedAsync(nodes);
            var (join, moved) = (Seconds(begun, LastBegin(nodes)), Moves(all) - before);

            await Task.Delay(2 * Lease);
            before = Moves(all);
            var killed = await nodes[0].KillAsync();
            nodes.RemoveAt(0);
            await BalancedAsync(nodes);
            var (takeover, movedByKill) = (Seconds(killed, LastBegin(nodes)), Moves(all) - before);
            var taken = Samples.Of(nodes.SelectMany(node => node.Tenures).Where(tenure => tenure.Begin > killed).Select(tenure => Seconds(killed, tenure.Begin)));

            await Task.Delay(2 * Lease);
            before = Moves(all);
            await nodes[0].StopAsync();
            nodes.RemoveAt(0);
            await BalancedAsync(nodes);
            var movedByStop = Moves(all) - before;
            var gap = LongestGap(all, since: before);

            foreach (var node in nodes)
            {
                await node.StopAsync();
            }

            return
            [
                new Line($"{Count:N0} partitions over {Nodes} nodes, leases of {Lease.TotalSeconds:F0} s: balanced after the start of the processes (terms more than partitions)", $"{atStart:F2} s ({atOnce})", Target: $"≤ {Target} s", IsReached: atStart <= Target),
                new Line($"a fourth node has its share after the start of its process (partitions that moved; a fair share: {Count / (Nodes + 1)})", $"{join:F2} s ({moved})", Target: $"≤ {Target} s", IsReached: join <= Target),
                new Line("the share of a killed node is led elsewhere (half of it; terms begun)", $"{takeover:F2} s ({taken.Median:F2} s; {movedByKill})", Target: $"≤ {Lease.TotalSeconds + 1} s", IsReached: takeover <= Lease.TotalSeconds + 1),
                new Line("a node stops: a partition is led by nobody, longest (terms begun)", $"{gap:F2} s ({movedByStop})"),
                new Line("partitions led by two at the same time, or with a token that is no greater than the one before", $"{Overlaps(all)} of {Moves(all)} terms", Target: "0", IsReached: Overlaps(all) == 0),
                new Line($"{Nodes} nodes, while nothing changes, commands/s", idle),
                await PartitionsInMemory.MeasureAsync(),
            ];
        }
        finally
        {
            foreach (var node in all)
            {
                await node.DisposeAsync();
            }
        }
    }

    private static async Task BalancedAsync(IReadOnlyCollection<PartitionAgent> nodes)
    {
        using var limit = new CancellationTokenSource(Limit);
        while (!IsBalanced([.. nodes.Select(node => node.Running)]))
        {
            await Task.Delay(10, limit.Token);
        }
    }

    private static bool IsBalanced(IReadOnlyCollection<int> led) => led.Sum() == Count && led.Max() - led.Min() <= 1;

    private static double Seconds(long from, long to) => Stopwatch.GetElapsedTime(from, to).TotalSeconds;

    private static long LastBegin(IEnumerable<PartitionAgent> nodes) => nodes.SelectMany(node => node.Tenures).Max(tenure => tenure.Begin);

    private static int Moves(IEnumerable<PartitionAgent> all) => all.Sum(node => node.Tenures.Count);

    private static int Overlaps(IEnumerable<PartitionAgent> all) =>
        InOrder(all).Sum(tenures => tenures.Zip(tenures.Skip(1)).Count(pair => pair.Second.Begin < pair.First.End || pair.Second.Token <= pair.First.Token));

    /// <summary>The longest time from the end of one term to the beginning of the next, of the terms that began last.</summary>
    private static double LongestGap(IReadOnlyCollection<PartitionAgent> all, int since)
    {
        var latest = all.SelectMany(node => node.Tenures).OrderBy(tenure => tenure.Begin).Skip(since).ToHashSet();
        return InOrder(all).SelectMany(tenures => tenures.Zip(tenures.Skip(1))).Where(pair => latest.Contains(pair.Second)).Max(pair => Seconds(pair.First.End, pair.Second.Begin));
    }

    private static IEnumerable<List<Tenure>> InOrder(IEnumerable<PartitionAgent> all) =>
        all.SelectMany(node => node.Tenures).GroupBy(tenure => tenure.Partition).Select(group => group.OrderBy(tenure => tenure.Begin).ToList());

    /// <summary>By the server's own count, in which those that scripts call are, too.</summary>
    private static async Task<string> CommandsAsync(Bench bench)
    {
        var before = await CommandStatistics.ReadAsync(bench.Server);
        await Task.Delay(Window);
        return (await CommandStatistics.ReadAsync(bench.Server)).PerSecondSince(before, Window);
    }
}
