namespace Coordination.Chaos.Checking;

/// <summary>A time in which a process waited for a lock.</summary>
/// <param name="By">The process.</param>
/// <param name="Worker">Its worker.</param>
/// <param name="Lock">The lock.</param>
/// <param name="From">When it began.</param>
/// <param name="To">When it had the lock, gave up or ended.</param>
/// <param name="IsGranted">Whether it had the lock in the end.</param>
internal sealed record Wait(string By, string Worker, string Lock, TimeSpan From, TimeSpan To, bool IsGranted);
