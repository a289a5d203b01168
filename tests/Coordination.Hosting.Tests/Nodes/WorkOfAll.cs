using System.Collections.Concurrent;

namespace Coordination.Hosting.Tests.Nodes;

/// <summary>The work of the nodes of a cluster, which notes who works beside whom.</summary>
internal sealed class WorkOfAll
{
    private readonly Lock _gate = new();
    private readonly Dictionary<ExclusiveTerm, int> _running = [];

    /// <summary>What was wrong in the moment that work began; empty for nothing.</summary>
    public ConcurrentQueue<string> Wrongs { get; } = [];

    /// <summary>How many worked at a time at most.</summary>
    public int Most { get; private set; }

    /// <summary>Work of a node, of whose kind so many may lead at a time.</summary>
    /// <param name="instances">How many.</param>
    /// <param name="drained">What it still waits for when it is told to stop.</param>
    public Work Of(int instances, Task? drained = null) => new()
    {
        Do = async (term, stoppingToken) =>
        {
            Begin(term, instances);
            try
            {
                await Task.Delay(Timeout.Infinite, stoppingToken);
            }
            finally
            {
                await (drained ?? Task.CompletedTask);
                lock (_gate)
                {
                    _running.Remove(term);
                }
            }
        },
    };

    private void Begin(ExclusiveTerm term, int instances)
    {
        lock (_gate)
        {
            if (_running.Values.Any(others => others != instances))
            {
                Wrongs.Enqueue("Nodes that differ in how many lead work at the same time.");
            }

            if (_running.Keys.Any(other => other.Instance == term.Instance))
            {
                Wrongs.Enqueue($"Two nodes work as instance {term.Instance}.");
            }

            if (_running.Count >= instances)
            {
                Wrongs.Enqueue($"{_running.Count + 1} nodes work at the same time.");
            }

            if (term.Instance < 0 || term.Instance >= instances)
            {
                Wrongs.Enqueue($"There is no instance {term.Instance} of {instances}.");
            }

            _running.Add(term, instances);
            Most = Math.Max(Most, _running.Count);
        }
    }
}
