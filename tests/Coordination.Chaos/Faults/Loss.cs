namespace Coordination.Chaos.Faults;

/// <summary>What the server lost.</summary>
/// <param name="Lock">One lock; null for all.</param>
internal sealed record Loss(string? Lock = null);
