namespace Coordination.Waiting;

/// <summary>What the waiters of one place have in common.</summary>
/// <param name="LockName">The lock.</param>
/// <param name="Owner">The owner that they want it as; null when each grant has an owner of its own.</param>
/// <param name="Options">How their leases differ from the node's defaults.</param>
internal readonly record struct WaitKey(string LockName, LockOwner? Owner, LockOptions? Options);
