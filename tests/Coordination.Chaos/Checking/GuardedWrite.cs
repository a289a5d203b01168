namespace Coordination.Chaos.Checking;

/// <summary>What was written in a transaction that a lock guards, and committed.</summary>
/// <param name="At">When the server committed it, by its own clock.</param>
/// <param name="Lock">The lock.</param>
/// <param name="By">The process that wrote.</param>
/// <param name="Token">Under which grant.</param>
internal sealed record GuardedWrite(TimeSpan At, string Lock, string By, long Token);
