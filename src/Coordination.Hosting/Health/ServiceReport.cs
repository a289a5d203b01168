using Coordination.Hosting.Leadership;
using Coordination.Hosting.Services;

namespace Coordination.Hosting.Health;

/// <summary>How one service does on this node at one moment.</summary>
internal sealed class ServiceReport : IWorkReport
{
    private readonly ExclusiveService _service;
    private readonly ServiceStatus _status;
    private readonly int _failures;
    private readonly string? _lastFailure;

    public ServiceReport(ExclusiveService service)
    {
        _service = service;
        _status = service.Leadership.Status;
        (_failures, _lastFailure) = service.Failures.Now;
    }

    public Type? ServiceType => _service.Registration.ServiceType;

    public string LockName => _status.Leadership.LockName;

    public string? NodeName => _service.Node.Name;

    public bool IsLeader => _status.Leadership.IsLeader;

    public IReadOnlyList<LeaderInfo> Leaders => _status.Leadership.Leaders;

    /// <summary>This node where it leads, and else the one that has led for the longest time.</summary>
    private LeaderInfo? Leader => _status.Leadership.Leader;

    /// <summary>
    /// Not before the lock can pass to this node: who is replaced by it, and stops when this one is ready, would leave the lock to one that is to stop next. What it does from then on, such as staying away after a
    /// failure, changes nothing of that, as a node that serves other things as well has to be reached all the while.
    /// </summary>
    public bool TakesPart => Runs && _status.HasJoined;

    public string? Absence => this switch
    {
        { TakesPart: true } => null,
        { Runs: false } => NotRunning,
        { _status.Phase: ServicePhase.Preparing } => $"'{LockName}' prepares its first term, and does not stand in the queue before that is done.",
        { _failures: > 0 } => $"'{LockName}' does not stand in the queue yet. {FailsInARow}",
        _ => $"'{LockName}' does not stand in the queue yet.",
    };

    public string? Failure =>
        _status.Phase == ServicePhase.Overdue ? WorkSentences.Overdue(LockName, _status.Loss)
        : _failures >= _service.Options.UnhealthyAfterFailures ? FailsInARow
        : null;

    public string? Trouble =>
        _failures >= _service.Options.DegradedAfterFailures ? FailsInARow
        : Runs ? null
        : NotRunning;

    private bool Runs => _status.Phase is not (ServicePhase.NotStarted or ServicePhase.Stopped);

    private string NotRunning => $"'{LockName}' {(_status.Phase == ServicePhase.Stopped ? "has stopped" : "has not started")}.";

    private string FailsInARow => WorkSentences.FailsInARow(LockName, _failures, _lastFailure);

    public string? Note =>
        _status.Phase == ServicePhase.Preparing ? $"'{LockName}' prepares its next term, and stands in no queue meanwhile." :
        _status.Phase == ServicePhase.Pausing ? $"'{LockName}' stays away for some time after its last term, and stands in no queue meanwhile." :
        _status.Phase == ServicePhase.Ended ? $"'{LockName}' does what comes after its last term, and stands in no queue meanwhile." :
        _status.Phase == ServicePhase.Ineligible && !_service.Switch.IsDrained ? WorkSentences.LeftToOthers(LockName) :
        _status.InUseAs is { } inUseAs ? $"'{LockName}' waits until those have gone who use it as {inUseAs}."
        : _service.Options.Instances > 1 ? $"'{LockName}' is led by {Leaders.Count} of {_service.Options.Instances} nodes."
        : null;

    /// <inheritdoc cref="ServiceLeadership.LookAsync"/>
    public Task LookAsync(CancellationToken cancellationToken) => _service.Leadership.LookAsync(cancellationToken);

    public IReadOnlyDictionary<string, object> Describe()
    {
        var data = new Dictionary<string, object>
        {
            ["role"] = this switch
            {
                { IsLeader: true } => "leader",
                { _status.Phase: ServicePhase.Standby or ServicePhase.Deferred } => "standby",
                _ => "none",
            },
            ["state"] = _status switch
            {
                { Leadership.IsLeader: true, Lease: LeaseState.InDoubt } => "in doubt",
                { Leadership.IsLeader: true } => "held",
                { Phase: ServicePhase.Leader } => "lost",
                { Phase: ServicePhase.BackingOff } => "backing off",
                { Phase: ServicePhase.Ineligible } => _service.Switch.IsDrained ? "drained" : "may not lead",
                { Phase: ServicePhase.NotStarted } => "not started",
                { Phase: var phase } => phase.ToString().ToLowerInvariant(),
            },
            ["phase"] = _status.Phase.ToString(),
            ["failuresInARow"] = _failures,
        };

        if (_lastFailure is not null)
        {
            data["lastFailure"] = _lastFailure;
        }

        if (Leader is { } leader)
        {
            data["nodeId"] = leader.NodeId;
            data["token"] = leader.FencingToken;
            data["since"] = leader.Since;
        }

        if (_service.Options.Instances > 1)
        {
            data["instances"] = _service.Options.Instances;
            data["leaders"] = Leaders.Select(Describe).ToList();
        }

        if (_status.Loss is { } loss)
        {
            data["lossReason"] = loss.ToString();
        }

        if (_status.InUseAs is { } inUseAs)
        {
            data["inUseAs"] = inUseAs.ToString();
        }

        return data;
    }

    private static Dictionary<string, object> Describe(LeaderInfo leader) => new()
    {
        ["instance"] = leader.Instance,
        ["nodeId"] = leader.NodeId,
        ["token"] = leader.FencingToken,
        ["since"] = leader.Since,
    };
}
