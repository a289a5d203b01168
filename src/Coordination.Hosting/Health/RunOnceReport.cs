using Coordination.Hosting.Execution;
using Coordination.Hosting.RunOnce;

namespace Coordination.Hosting.Health;

/// <summary>How work that is run once does. Where it fails, the start of its host does, and nobody asks.</summary>
internal sealed class RunOnceReport(RunOnceStep step) : IWorkReport
{
    private readonly WorkPhase _phase = step.Work.Status.Phase;

    public string LockName => step.Work.LockName;

    public string? NodeName => step.NodeName;

    public Type? ServiceType => null;

    public bool TakesPart => _phase == WorkPhase.Done;

    public string? Failure => _phase == WorkPhase.Overdue ? WorkSentences.Overdue(LockName) : null;

    public string? Trouble => TakesPart ? null : $"'{LockName}' is not done.";

    public IReadOnlyDictionary<string, object> Describe() => new Dictionary<string, object> { ["phase"] = _phase.ToString() };
}
