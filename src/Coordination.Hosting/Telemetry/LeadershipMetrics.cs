using System.Diagnostics.Metrics;
using Coordination.Hosting.Execution;
using Coordination.Hosting.Leadership;
using Coordination.Hosting.Services;
using Coordination.Telemetry;

namespace Coordination.Hosting.Telemetry;

/// <summary>
/// The instruments of leadership. They carry the name of the lock: there are as many as the host has services. All are observed, so that none is wrong because
/// a change was dropped.
/// </summary>
internal sealed class LeadershipMetrics : IDisposable
{
    private const string LockTag = "coordination.lock.name";

    /// <summary>Of services on a node that has a name: another node may have a lock of that name as well.</summary>
    private const string NodeTag = "coordination.node.name";

    private readonly CoordinationMeter _meter;
    private readonly ExclusiveServices _services;

    public LeadershipMetrics(IMeterFactory factory, TelemetryDispatcher dispatcher, ExclusiveServices services)
    {
        _services = services;
        _meter = new CoordinationMeter(factory, dispatcher, nodeName: null);
        _meter.Create(meter => meter.CreateObservableGauge(
            "coordination.leadership.leader", () => Each(static service => service.Leadership.IsLeader ? 1 : 0), "{leader}", "Whether this node leads: 1 or 0, by lock."));
        _meter.Create(meter => meter.CreateObservableGauge(
            "coordination.leadership.instances", () => Each(static service => service.Options.Instances), "{leader}", "How many nodes may lead at a time, by lock."));
        _meter.Create(meter => meter.CreateObservableGauge(
            "coordination.leadership.overdue", () => Each(static service => service.Leadership.Status.Phase == ServicePhase.Overdue ? 1 : 0), "{service}", "Whether work goes on too long after its lease was lost: 1 or 0, by lock."));
        _meter.Create(meter => meter.CreateObservableGauge(
            "coordination.leadership.failures", () => Each(static service => service.Failures.Now.InARow), "{failure}", "Failures in a row on this node, by lock."));
        _meter.Create(meter => meter.CreateObservableCounter(
            "coordination.leadership.terms", ObserveTerms, "{term}", "Terms of this node that have ended, by lock and by how they ended."));
    }

    public void Dispose() => _meter.Dispose();

    private static string Describe(WorkEnd end) => end switch
    {
        WorkEnd.Completed => "completed",
        WorkEnd.Stopped => "stopped",
        WorkEnd.Lost => "lost",
        WorkEnd.SteppedDown => "stepped_down",
        WorkEnd.MaxTermReached => "max_term_reached",
        WorkEnd.Failed => "failed",
        _ => throw new ArgumentOutOfRangeException(nameof(end), end, "No term ends so."),
    };

    private static KeyValuePair<string, object?>[] TagsOf(ExclusiveService service, params ReadOnlySpan<KeyValuePair<string, object?>> more) => service.Node.Name is { } node
        ? [new(LockTag, service.Lock.Name), new(NodeTag, node), .. more]
        : [new(LockTag, service.Lock.Name), .. more];

    private IEnumerable<Measurement<int>> Each(Func<ExclusiveService, int> look) => _services.All.Select(service => new Measurement<int>(look(service), TagsOf(service)));

    private IEnumerable<Measurement<long>> ObserveTerms() =>
        from service in _services.All
        from term in service.Leadership.Terms
        select new Measurement<long>(term.Value, TagsOf(service, new KeyValuePair<string, object?>("coordination.term.end", Describe(term.Key))));
}
