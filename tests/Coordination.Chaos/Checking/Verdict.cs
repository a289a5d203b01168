namespace Coordination.Chaos.Checking;

/// <summary>What the checker found.</summary>
/// <param name="Violations">In the order of time.</param>
/// <param name="OverlapsOfPaused">How many overlaps there were in which the earlier holder was paused past its lease, and gave up when it looked.</param>
/// <param name="OverlapsAfterLoss">How many overlaps there were because the server had lost the lock, until the earlier holder's next renewal.</param>
internal sealed record Verdict(IReadOnlyList<Violation> Violations, int OverlapsOfPaused, int OverlapsAfterLoss);
