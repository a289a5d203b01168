namespace Coordination.Chaos.Checking;

/// <summary>A run of a fire of the schedule.</summary>
/// <param name="By">The process that ran it.</param>
/// <param name="At">When.</param>
/// <param name="Time">Which fire it was.</param>
internal sealed record Fire(string By, TimeSpan At, DateTime Time);
