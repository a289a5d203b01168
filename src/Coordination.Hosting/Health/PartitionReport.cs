using Coordination.Hosting.Execution;
using Coordination.Hosting.Partitions;

namespace Coordination.Hosting.Health;

/// <summary>How one partitioned service does on this node: in sum, whatever the number of its partitions.</summary>
internal sealed class PartitionReport : IWorkReport
{
    private readonly PartitionedService _service;
    private readonly PartitionView _view;
    private readonly PartitionNaming _naming;
    private readonly WorkPhase _phase;
    private readonly bool _hasJoined;
    private readonly bool _canLead;
    private readonly bool _isDrained;
    private readonly int _led;
    private readonly int _failing;
    private readonly bool _isOverdue;
    private readonly PartitionRun? _worst;
    private readonly int _mostFailures;

    public PartitionReport(PartitionedService service)
    {
        _service = service;
        (_view, _naming, _phase, _hasJoined) = (service.View, service.Naming, service.Phase, service.HasJoined);
        (_canLead, _isDrained) = (service.Switch.CanLead, service.Switch.IsDrained);
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

    public string Leads => $"Leads {_led} of {_view.Partitions.Count} partitions of '{LockName}'.";

    /// <summary>Not before the others count on this node: who is replaced by it, and stops when this one is ready, leaves its partitions to those who take part then. Whatever comes after changes nothing of that.</summary>
    public bool TakesPart => Runs && _hasJoined;

    public string? Absence =>
        !Runs ? NotRunning
        : !_hasJoined ? $"'{LockName}' is not yet a member of those that share its partitions.{(CannotName is null ? null : ' ')}{CannotName}"
        : null;

    public string? Failure =>
        _isOverdue ? WorkSentences.Overdue(LockName)
        : _mostFailures >= _service.Options.UnhealthyAfterFailures ? FailsInARow
        : Runs && !_naming.IsKnown ? CannotName
        : null;

    public string? Trouble =>
        _mostFailures >= _service.Options.DegradedAfterFailures ? FailsInARow
        : Runs ? CannotName ?? LeavesOut
        : NotRunning;

    public string? Note => _canLead || _isDrained ? null : WorkSentences.LeftToOthers(LockName);

    private bool Runs => _phase is WorkPhase.Running or WorkPhase.Waiting;

    private string NotRunning => $"'{LockName}' {(_phase == WorkPhase.Stopped ? "has stopped" : "has not started")}.";

    private string? FailsInARow => _worst is null ? null : WorkSentences.FailsInARow(_worst.LockName, _mostFailures, _worst.Failures.Last);

    private string? CannotName =>
        _naming.Failure is { } failure ? $"'{LockName}' cannot name its partitions: that failed with {failure}. It {(_naming.IsKnown ? "goes on with those that it knows." : "knows of none yet, and takes no part.")}" : null;

    private string? LeavesOut => _naming.LeftOut is { } names ? $"'{LockName}' leaves out {names.Count} of the names of its partitions, and no node leads those. {names.First}" : null;

    public IReadOnlyDictionary<string, object> Describe()
    {
        var data = new Dictionary<string, object>
        {
            ["phase"] = _phase.ToString(),
            ["state"] = this switch
            {
                { _phase: WorkPhase.NotStarted } => "not started",
                { Runs: true, _isDrained: true } => "drained",
                { Runs: true, _canLead: false } => "may not lead",
                { _phase: WorkPhase.Running } => "member",
                { _phase: var phase } => phase.ToString().ToLowerInvariant(),
            },
            ["canLead"] = _canLead,
            ["led"] = _led,
            ["share"] = _view.Share,
            ["partitions"] = _view.Partitions.Count,
            ["members"] = _view.Members.Count,
            ["failing"] = _failing,
            ["failuresInARow"] = _mostFailures,
        };

        if (_naming.Failure is { } failure)
        {
            data["namingFailure"] = failure;
        }

        if (_naming.LeftOut is { } leftOut)
        {
            data["leftOut"] = leftOut.Count;
        }

        return data;
    }
}
