namespace Coordination.Stores;

/// <summary>What a store tells a node.</summary>
public readonly record struct LockNotification
{
    /// <summary>What happened.</summary>
    public required LockNotificationKind Kind { get; init; }

    /// <summary>The lock.</summary>
    /// <value>Null, the default, for <see cref="LockNotificationKind.Reconnected"/>, which is about all of them.</value>
    public string? LockName { get; init; }

    /// <summary>The waiter or holder that it is for.</summary>
    /// <value>Null, the default, for <see cref="LockNotificationKind.Reconnected"/>.</value>
    public LockOwner? Owner { get; init; }

    /// <summary>For <see cref="LockNotificationKind.AskAgain"/>, how long from now.</summary>
    /// <value>Zero, the default, for the other kinds.</value>
    public TimeSpan After { get; init; }

    /// <summary>For <see cref="LockNotificationKind.Revoked"/> and <see cref="LockNotificationKind.StepDown"/>, the token of the grant.</summary>
    /// <value>Zero, the default, for the other kinds.</value>
    public long FencingToken { get; init; }

    /// <summary>For <see cref="LockNotificationKind.Granted"/>, how the lock was handed over.</summary>
    /// <value>Null, the default, for the other kinds, and where the store does not tell: then the waiter claims the lock first.</value>
    public LockHandover? Handover { get; init; }

    /// <summary>For <see cref="LockNotificationKind.StepDown"/>, what the holder is asked.</summary>
    /// <value>Null, the default, for the other kinds.</value>
    public StepDownRequest? Request { get; init; }

    /// <summary>The connection was lost and is back.</summary>
    public static LockNotification Reconnected => new() { Kind = LockNotificationKind.Reconnected };

    /// <summary>A lock was passed to a waiter.</summary>
    /// <param name="lockName">The lock.</param>
    /// <param name="waiter">The waiter, which is to claim it.</param>
    /// <param name="handover">How; null where the waiter is to claim it first.</param>
    public static LockNotification Granted(string lockName, LockOwner waiter, LockHandover? handover = null) =>
        new() { Kind = LockNotificationKind.Granted, LockName = lockName, Owner = waiter, Handover = handover };

    /// <summary>A waiter is to ask again.</summary>
    /// <param name="lockName">The lock.</param>
    /// <param name="waiter">The waiter.</param>
    /// <param name="after">How long from now.</param>
    public static LockNotification AskAgain(string lockName, LockOwner waiter, TimeSpan after) =>
        new() { Kind = LockNotificationKind.AskAgain, LockName = lockName, Owner = waiter, After = after };

    /// <summary>A lock was revoked.</summary>
    /// <param name="lockName">The lock.</param>
    /// <param name="holder">Who held it.</param>
    /// <param name="fencingToken">The token of the grant that was ended.</param>
    public static LockNotification Revoked(string lockName, LockOwner holder, long fencingToken) =>
        new() { Kind = LockNotificationKind.Revoked, LockName = lockName, Owner = holder, FencingToken = fencingToken };

    /// <summary>A holder is asked to step down.</summary>
    /// <param name="lockName">The lock.</param>
    /// <param name="holder">Who holds it.</param>
    /// <param name="fencingToken">The token of the grant.</param>
    /// <param name="request">What it is asked.</param>
    public static LockNotification StepDown(string lockName, LockOwner holder, long fencingToken, StepDownRequest request) =>
        new() { Kind = LockNotificationKind.StepDown, LockName = lockName, Owner = holder, FencingToken = fencingToken, Request = request };
}
