using Coordination.Chaos.History;
using Coordination.Chaos.Resource;
using Microsoft.Extensions.DependencyInjection;

namespace Coordination.Chaos.Workers;

/// <summary>A host with a service whose partitions the workers share.</summary>
internal static class PartitionWorker
{
    /// <summary>What the names of the locks begin with.</summary>
    public const string Service = "parts";

    /// <summary>How often a node looks which nodes there are.</summary>
    public static readonly TimeSpan BalanceInterval = TimeSpan.FromSeconds(0.5);

    public static IReadOnlyList<string> LocksOf(int partitions) => [.. Enumerable.Range(0, partitions).Select(i => $"{Service}/{i}")];

    /// <summary>Whether a lock is that of a partition, and not what tells which nodes there are.</summary>
    public static bool IsPartition(string lockName) => lockName.StartsWith(Service + "/", StringComparison.Ordinal) && char.IsAsciiDigit(lockName[^1]);

    public static async Task RunAsync(WorkerOptions options, WorkerSignals signals, HistoryFile history, CancellationToken stopping)
    {
        var resources = await Task.WhenAll(options.Locks.Select(_ => ResourceClient.ConnectAsync(options.ResourcePort, options.Process)));
        var service = new LedPartitions(options, history, options.Locks.Zip(resources).ToDictionary(pair => pair.First, pair => pair.Second));
        using var host = WorkerHost.Create(options, signals, (services, _) => services.AddPartitionedBackgroundService(
            _ => service,
            o => (o.LockName, o.Partitions, o.BalanceInterval) = (Service, options.Locks.Count, BalanceInterval)));
        await WorkerHost.RunAsync(host, () => { }, stopping);
        foreach (var resource in resources)
        {
            resource.Dispose();
        }
    }
}
