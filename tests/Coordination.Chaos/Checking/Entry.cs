namespace Coordination.Chaos.Checking;

/// <summary>That a holder acquired its lock once more.</summary>
/// <param name="By">The process.</param>
/// <param name="Lock">The lock.</param>
/// <param name="Attempt">Which of the process's attempts it was that held it.</param>
/// <param name="At">When.</param>
/// <param name="Token">Under which token.</param>
internal sealed record Entry(string By, string Lock, long Attempt, TimeSpan At, long Token);
