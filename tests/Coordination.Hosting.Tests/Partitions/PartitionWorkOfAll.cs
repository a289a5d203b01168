using System.Collections.Concurrent;
using Coordination.Hosting.Tests.Nodes;

namespace Coordination.Hosting.Tests.Partitions;

/// <summary>The work of the partitions of all nodes of a test, which notes who works on what, and whether two ever did at a time.</summary>
internal sealed class PartitionWorkOfAll
{
    private readonly ConcurrentDictionary<string, string> _running = new(StringComparer.Ordinal);

    /// <summary>What was wrong in the moment that work began; empty for nothing.</summary>
    public ConcurrentQueue<string> Wrongs { get; } = [];

    /// <summary>The terms that began, by partition and node, in their order.</summary>
    public ConcurrentQueue<(string Partition, string Node, long Token)> Terms { get; } = [];

    /// <summary>What a partition's work does on a node, by its name; what is not here works until it is told to stop.</summary>
    public ConcurrentDictionary<string, Func<ExclusiveTerm, CancellationToken, Task>> Do { get; } = new(StringComparer.Ordinal);

    /// <summary>What all nodes do around the terms.</summary>
    public Hooks Hooks { get; } = new();

    public int Running => _running.Count;

    /// <summary>The terms whose work runs.</summary>
    public ConcurrentDictionary<ExclusiveTerm, bool> Now { get; } = [];

    /// <summary>The node for which the store is away, so that it renews nothing; null for none.</summary>
    public volatile string? Away;

    /// <summary>How many partitions a node worked on at a time at most.</summary>
    public ConcurrentDictionary<string, int> Most { get; } = new(StringComparer.Ordinal);

    public string? NodeOf(string partition) => _running.GetValueOrDefault(partition);

    /// <summary>How many partitions the work of a node runs for.</summary>
    public int RunningOn(string node) => _running.Values.Count(running => running == node);

    public async Task RunAsync(ExclusiveTerm term, CancellationToken stoppingToken)
    {
        var (partition, node) = (term.Partition!, term.Owner.NodeId);
        if (!_running.TryAdd(partition, node))
        {
            Wrongs.Enqueue($"{node} works on '{partition}' beside {NodeOf(partition)}.");
        }

        Most.AddOrUpdate(node, RunningOn, (_, most) => Math.Max(most, RunningOn(node)));
        Now[term] = true;
        Terms.Enqueue((partition, node, term.FencingToken));
        try
        {
            await (Do.TryGetValue(partition, out var work) ? work(term, stoppingToken) : Task.Delay(Timeout.Infinite, stoppingToken));
        }
        finally
        {
            Now.TryRemove(term, out _);
            _running.TryRemove(new KeyValuePair<string, string>(partition, node));
        }
    }
}
