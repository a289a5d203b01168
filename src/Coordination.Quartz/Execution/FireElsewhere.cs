namespace Coordination.Quartz.Execution;

/// <summary>What is known of a fire on other nodes.</summary>
/// <param name="IsKnown">Whether the store said anything of it.</param>
/// <param name="NodeId">The node that has begun it, or that waits for it; null for none.</param>
/// <param name="IsBegun">Whether it was begun there.</param>
internal sealed record FireElsewhere(bool IsKnown, string? NodeId = null, bool IsBegun = false);
