namespace Coordination.Chaos.Checking;

/// <summary>A time in which a node was drained.</summary>
/// <param name="By">The process.</param>
/// <param name="From">When it had been told, and could lead nothing new.</param>
/// <param name="Drained">When it said that it leads nothing; null when it did not.</param>
/// <param name="To">When it was about to be resumed, or ended.</param>
internal sealed record Drain(string By, TimeSpan From, TimeSpan? Drained, TimeSpan To);
