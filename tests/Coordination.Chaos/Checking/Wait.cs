using Coordination.Chaos.Contenders;

namespace Coordination.Chaos.Checking;

/// <summary>A time in which a process waited for a lock.</summary>
/// <param name="By">The process.</param>
/// <param name="Worker">Its worker.</param>
/// <param name="Lock">The lock.</param>
/// <param name="From">When it began.</param>
/// <param name="To">When it had the lock, gave up or ended.</param>
/// <param name="IsGranted">Whether it had the lock in the end.</param>
/// <param name="Token">Under which token, where it had one.</param>
/// <param name="Share">What it wanted of the lock; null for an exclusive one.</param>
/// <param name="Queued">When it was told that it stands in the queue; null where it was not.</param>
/// <param name="Left">When it began to cancel, from where on it may be out of the queue; null where it did not.</param>
internal sealed record Wait(string By, string Worker, string Lock, TimeSpan From, TimeSpan To, bool IsGranted, long? Token = null, LockShareKind? Share = null, TimeSpan? Queued = null, TimeSpan? Left = null)
{
    public bool IsUpgrade => Share == LockShareKind.Upgrade;

    /// <summary>Until when it surely stood in the queue. Who gives up is out of it, and another may have the lock, before it is told so.</summary>
    public TimeSpan Until => IsGranted ? To : Left ?? To;

    /// <summary>Whether what it wants fits beside those who hold its lock.</summary>
    public bool Fits(IReadOnlyCollection<Holding> held) => Share switch
    {
        LockShareKind.Permit => held.Count < Capacities.Of(Lock).Permits,
        LockShareKind.Read => !held.Any(holding => holding.Writes),
        LockShareKind.UpgradeableRead => !held.Any(holding => holding.Writes || holding.Share == LockShareKind.UpgradeableRead),
        LockShareKind.Upgrade => held.All(holding => holding.By == By && holding.Share == LockShareKind.UpgradeableRead),
        _ => held.Count == 0,
    };
}
