using Coordination.Hosting.Execution;
using Coordination.Hosting.Periodic;

namespace Coordination.Hosting.Health;

/// <summary>How one periodic service does.</summary>
internal sealed class PeriodicReport : IWorkReport
{
    private readonly PeriodicService _service;
    private readonly WorkPhase _phase;
    private readonly int _failures;
    private readonly int _failuresOfCluster;
    private readonly string? _lastFailure;

    public PeriodicReport(PeriodicService service)
    {
        _service = service;
        _phase = service.Status.Phase;
        (_failures, _lastFailure) = service.Failures.Now;
        _failuresOfCluster = service.ClusterFailures.InARow;
    }

    public string LockName => _service.LockName;

    public string? NodeName => _service.Node.Name;

    public Type? ServiceType => _service.Type;

    public bool TakesPart => _phase is not (WorkPhase.NotStarted or WorkPhase.Stopped);

    public string? Failure =>
        _phase == WorkPhase.Overdue ? WorkSentences.Overdue(LockName)
        : MostFailures >= _service.Options.UnhealthyAfterFailures ? FailsInARow
        : null;

    public string? Trouble =>
        MostFailures >= _service.Options.DegradedAfterFailures ? FailsInARow
        : TakesPart ? null
        : $"'{LockName}' {(_phase == WorkPhase.Stopped ? "has stopped" : "has not started")}.";

    private int MostFailures => Math.Max(_failures, _failuresOfCluster);

    private string FailsInARow => _failures >= _failuresOfCluster
        ? WorkSentences.FailsInARow(LockName, _failures, _lastFailure)
        : WorkSentences.FailsInARowInCluster(LockName, _failuresOfCluster);

    public IReadOnlyDictionary<string, object> Describe()
    {
        var data = new Dictionary<string, object> { ["phase"] = _phase.ToString(), ["failuresInARow"] = _failures, ["failuresInARowOfCluster"] = _failuresOfCluster };
        if (_lastFailure is not null)
        {
            data["lastFailure"] = _lastFailure;
        }

        return data;
    }
}
