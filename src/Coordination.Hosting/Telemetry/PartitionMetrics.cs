using System.Diagnostics.Metrics;
using Coordination.Hosting.Partitions;
using Coordination.Telemetry;

namespace Coordination.Hosting.Telemetry;

/// <summary>The instruments of partitioned services: in sum for each service, never one for each partition. All are observed.</summary>
internal sealed class PartitionMetrics : IDisposable
{
    private const string LockTag = "coordination.lock.name";
    private const string NodeTag = "coordination.node.name";

    private readonly CoordinationMeter _meter;
    private readonly IEnumerable<PartitionedService> _services;

    public PartitionMetrics(IMeterFactory factory, TelemetryDispatcher dispatcher, IEnumerable<PartitionedService> services)
    {
        _services = services;
        _meter = new CoordinationMeter(factory, dispatcher, nodeName: null);
        Gauge("led", "{partition}", "How many partitions this node leads.", static service => service.Runs.Count(static run => run.Value.Led is not null));
        Gauge("share", "{partition}", "How many partitions are this node's share.", static service => service.View.Share);
        Gauge("count", "{partition}", "How many partitions there are.", static service => service.View.Partitions.Count);
        Gauge("members", "{node}", "How many nodes share the partitions.", static service => service.View.Members.Count);
        Gauge("failing", "{partition}", "How many partitions failed the last time that they were begun on this node.", static service => service.Runs.Count(static run => run.Value.Failures.InARow > 0));
    }

    public void Dispose() => _meter.Dispose();

    private static KeyValuePair<string, object?>[] TagsOf(PartitionedService service) => service.Node.Name is { } node
        ? [new(LockTag, service.Locks.Service), new(NodeTag, node)]
        : [new(LockTag, service.Locks.Service)];

    private void Gauge(string name, string unit, string description, Func<PartitionedService, int> look) =>
        _meter.Create(meter => meter.CreateObservableGauge(
            $"coordination.partitions.{name}", () => _services.Select(service => new Measurement<int>(look(service), TagsOf(service))), unit, description));
}
