namespace Coordination.Hosting.Execution;

/// <summary>How work under a lease ended.</summary>
/// <param name="End">Why it did.</param>
/// <param name="Failure">What it threw; null for nothing, and for an <see cref="OperationCanceledException"/> after it was told to stop.</param>
/// <param name="ScopeFailure">What the disposal of its scope threw; null for nothing.</param>
internal readonly record struct WorkResult(WorkEnd End, Exception? Failure, Exception? ScopeFailure = null)
{
    /// <summary>The same for work that counts as done when it has completed: what its services save when they are disposed belongs to it.</summary>
    public WorkResult WithScope() => End == WorkEnd.Completed && ScopeFailure is not null ? new(WorkEnd.Failed, ScopeFailure) : this;
}
