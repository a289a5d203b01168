namespace Coordination;

/// <summary>A place in the queue of a lock. Waiters of one process that want it in the same way share one.</summary>
/// <param name="Owner">Who waits; <see cref="LockOwner.NodeId"/> names the node.</param>
/// <param name="WaitingFor">How long it has waited, on the store's clock.</param>
/// <param name="IsAlive">Whether it has asked in time; one that has not is skipped until it asks again.</param>
public sealed record LockWaiter(LockOwner Owner, TimeSpan WaitingFor, bool IsAlive);
