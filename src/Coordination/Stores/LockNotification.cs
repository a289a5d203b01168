namespace Coordination.Stores;

/// <summary>What a store tells a node.</summary>
/// <param name="Kind">What happened.</param>
/// <param name="LockName">For <see cref="LockNotificationKind.Granted"/>, the lock that was passed on; else null.</param>
/// <param name="Owner">For <see cref="LockNotificationKind.Granted"/>, the waiter that it was passed to; else null.</param>
public readonly record struct LockNotification(LockNotificationKind Kind, string? LockName = null, LockOwner? Owner = null);
