namespace Coordination.Hosting.Periodic;

/// <summary>How a run of a slot ended.</summary>
/// <param name="Slot">The start of the slot.</param>
/// <param name="HasFailed">Whether it threw.</param>
internal readonly record struct PeriodicRunEnd(DateTimeOffset Slot, bool HasFailed);
