using Coordination.Hosting.Execution;

namespace Coordination.Hosting.Partitions;

/// <summary>Shows what a node knows of a partitioned service.</summary>
internal sealed class PartitionedLeadership<TService>(PartitionedService service) : IPartitionedLeadership<TService>
    where TService : PartitionedBackgroundService
{
    public string LockName => service.Locks.Service;

    public IReadOnlyList<LedPartition> Led => [.. service.Runs.Values.Select(static run => run.Led).OfType<LedPartition>().OrderBy(static led => led.Partition, StringComparer.Ordinal)];

    public bool CanLead => service.Switch.CanLead;

    public int Share => service.Phase == WorkPhase.Running ? service.View.Share : 0;

    public int PartitionCount => service.View.Partitions.Count;

    public IReadOnlyList<PartitionMember> Members => service.View.Members;

    public void SetCanLead(bool? canLead) => service.Switch.SetAtRunTime(canLead);

    public string? FindNode(string partition)
    {
        ArgumentNullException.ThrowIfNull(partition);
        return service.View.Assignment.Find(partition);
    }
}
