using Coordination.Chaos.History;
using Coordination.Chaos.Resource;

namespace Coordination.Chaos.Workers;

/// <summary>A service that uses the resource under the lock of each partition that its node leads, and writes down what it believes. When its node begins to wait for one, it is not told.</summary>
internal sealed class LedPartitions(WorkerOptions options, HistoryFile history, IReadOnlyDictionary<string, ResourceClient> resources) : PartitionedBackgroundService
{
    /// <summary>There are many of them at a time.</summary>
    private static readonly TimeSpan Work = TimeSpan.FromMilliseconds(50);

    private readonly Attempts _attempts = new();

    protected override Task ExecutePartitionAsync(ExclusiveTerm term, CancellationToken stoppingToken)
    {
        var attempt = _attempts.Next();
        history.Write(EventKind.Granted, term.LockName, attempt, term.FencingToken);
        return new LedWork(options, history, resources[term.LockName], Work).RunAsync(term, attempt, () => { }, stoppingToken);
    }
}
