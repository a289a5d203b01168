using Coordination.Hosting.Partitions;
using Coordination.Hosting.Periodic;
using Coordination.Hosting.RunOnce;
using Coordination.Hosting.Services;

namespace Coordination.Hosting.Health;

/// <summary>All exclusive work of this host, for a check to look at.</summary>
internal sealed class HostWork(ExclusiveServices services, IEnumerable<PartitionedService> partitioned, IEnumerable<PeriodicService> periodic, IEnumerable<RunOnceStep> once)
{
    /// <summary>How it does at this moment.</summary>
    public List<IWorkReport> Report() =>
    [
        .. services.All.Select(static service => new ServiceReport(service)),
        .. partitioned.Select(static service => new PartitionReport(service)),
        .. periodic.Select(static service => new PeriodicReport(service)),
        .. once.Select(static step => new RunOnceReport(step)),
    ];
}
