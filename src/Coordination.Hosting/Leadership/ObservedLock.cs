namespace Coordination.Hosting.Leadership;

/// <summary>One call of <c>AddLeadership</c>.</summary>
/// <param name="LockName">The lock.</param>
/// <param name="NodeName">The name of the node that has it; null for the one that has none.</param>
internal sealed record ObservedLock(string LockName, string? NodeName);
