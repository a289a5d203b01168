namespace Coordination.Hosting.Leadership;

/// <summary>One call of <c>AddLeadership</c>.</summary>
/// <param name="LockName">The lock.</param>
internal sealed record ObservedLock(string LockName);
