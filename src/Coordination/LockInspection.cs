namespace Coordination;

/// <summary>A lock as the store sees it in one moment.</summary>
/// <param name="LockName">The lock.</param>
/// <param name="Holder">Who holds it; null when nobody does.</param>
/// <param name="Waiters">The queue in the order of arrival, from its front, up to the number that was asked for.</param>
/// <param name="WaiterCount">How many places the queue has, those of dead waiters that it still remembers included.</param>
public sealed record LockInspection(string LockName, LockHolder? Holder, IReadOnlyList<LockWaiter> Waiters, long WaiterCount);
