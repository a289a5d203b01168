namespace Coordination.Stores;

/// <summary>The kinds of <see cref="LockNotification"/>.</summary>
public enum LockNotificationKind
{
    /// <summary>A lock was passed to a waiter of the node, which is to claim it within the claim window.</summary>
    Granted,

    /// <summary>The connection was lost and is back: notifications may have been missed, and every waiter is to ask again.</summary>
    Reconnected,
}
