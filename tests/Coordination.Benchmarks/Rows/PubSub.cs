using Coordination.Benchmarks.Reports;

namespace Coordination.Benchmarks.Rows;

internal sealed class PubSub : IRow
{
    public string Name => "pubsub";

    public string Summary => "handover notifications on a Cluster of three masters: PUBLISH beside SPUBLISH";

    public Task<IReadOnlyList<Line>> MeasureAsync(Bench bench) => throw new NotSupportedException();
}
