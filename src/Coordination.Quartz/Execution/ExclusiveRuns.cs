using System.Collections.Concurrent;

namespace Coordination.Quartz.Execution;

/// <summary>The runs of this node that are under way, of all schedulers.</summary>
internal sealed class ExclusiveRuns
{
    private readonly ConcurrentDictionary<ExclusiveRun, bool> _runs = new();

    public IReadOnlyCollection<ExclusiveRun> UnderWay => [.. _runs.Keys];

    public void Add(ExclusiveRun run) => _runs.TryAdd(run, true);

    public void Remove(ExclusiveRun run) => _runs.TryRemove(run, out _);
}
