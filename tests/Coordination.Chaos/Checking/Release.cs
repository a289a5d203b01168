namespace Coordination.Chaos.Checking;

/// <summary>A release of a lock, as a process saw it.</summary>
/// <param name="By">The process.</param>
/// <param name="Lock">The lock.</param>
/// <param name="From">When it was about to release it.</param>
/// <param name="To">When it knew how that ended.</param>
internal sealed record Release(string By, string Lock, TimeSpan From, TimeSpan To);
