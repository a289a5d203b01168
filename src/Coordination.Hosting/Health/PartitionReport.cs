using Coordination.Hosting.Execution;
using Coordination.Hosting.Partitions;

namespace Coordination.Hosting.Health;

/// <summary>How one partitioned service does on this node: in sum, whatever the number of its partitions.</summary>
internal sealed class PartitionReport : IWorkReport
{
    private readonly PartitionedService _service;
    private readonly PartitionView _view;
    private readonly WorkPhase _phase;
    private readonly int _led;
    private readonly int _failing;
    private readonly bool _isOverdue;
    private readonly PartitionRun? _worst;
    private readonly int _mostFailures;

    public PartitionReport(PartitionedService service)
    {
        _service = service;
        (_view, _phase) = (service.View, service.Phase);
        foreach (var (_, run) in service.Runs)
        {
            _led += run.Led is null ? 0 : 1;
            _isOverdue |= run.IsOverdue;
            if (run.Failures.InARow is > 0 and var failures)
            {
                _failing++;
                (_worst, _mostFailures) = failures > _mostFailures ? (run, failures) : (_worst, _mostFailures);
            }
        }
    }

    public string LockName => _service.Locks.Service;

    public string? NodeName => _service.Node.Name;

    public Type? ServiceType => _service.Type;

    public bool IsLeader => false;

    public bool TakesPart => _phase is WorkPhase.Running or WorkPhase.Waiting;

    public string? Failure =>
        _isOverdue ? WorkSentences.Overdue(LockName)
        : _mostFailures >= _service.Options.UnhealthyAfterFailures ? FailsInARow
        : null;

    public string? Trouble =>
        _mostFailures >= _service.Options.DegradedAfterFailures ? FailsInARow
        : TakesPart ? null
        : $"'{LockName}' {(_phase == WorkPhase.Stopped ? "has stopped" : "has not started")}.";

    private string? FailsInARow => _worst is null ? null : WorkSentences.FailsInARow(_worst.LockName, _mostFailures, _worst.Failures.Last);

    public IReadOnlyDictionary<string, object> Describe() => new Dictionary<string, object>
    {
        ["phase"] = _phase.ToString(),
        ["canLead"] = _service.Switch.CanLead,
        ["led"] = _led,
        ["share"] = _view.Share,
        ["partitions"] = _view.Partitions.Count,
        ["members"] = _view.Members.Count,
        ["failing"] = _failing,
        ["failuresInARow"] = _mostFailures,
    };
}
