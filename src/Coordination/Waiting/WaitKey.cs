namespace Coordination.Waiting;

/// <summary>What the calls that stand behind one waiter have in common.</summary>
/// <param name="LockName">The lock.</param>
/// <param name="Owner">The owner that they want it as; null when each grant has an owner of its own.</param>
/// <param name="Options">How their leases differ from the node's defaults.</param>
/// <param name="Share">What they want of a lock that several may hold at a time; null for an exclusive lock.</param>
internal readonly record struct WaitKey(string LockName, LockOwner? Owner, LockOptions? Options, LockShare? Share);
