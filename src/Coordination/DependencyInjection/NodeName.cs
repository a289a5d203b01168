namespace Coordination.DependencyInjection;

/// <summary>A node of the container, one for each.</summary>
/// <param name="Value">The name, which is that of its options; null for the node that has none.</param>
internal sealed record NodeName(string? Value);
