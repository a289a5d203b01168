namespace Coordination.Stores;

/// <summary>What a store tells a node.</summary>
/// <param name="Kind">What happened.</param>
/// <param name="LockName">The lock; null for <see cref="LockNotificationKind.Reconnected"/>, which is about all of them.</param>
/// <param name="Owner">The waiter or holder that it is for; null for <see cref="LockNotificationKind.Reconnected"/>.</param>
/// <param name="After">For <see cref="LockNotificationKind.AskAgain"/>, how long from now; else zero.</param>
/// <param name="FencingToken">For <see cref="LockNotificationKind.Revoked"/>, the token of the grant; else zero.</param>
public readonly record struct LockNotification(
    LockNotificationKind Kind, string? LockName = null, LockOwner? Owner = null, TimeSpan After = default, long FencingToken = 0);
