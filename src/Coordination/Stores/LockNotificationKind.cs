namespace Coordination.Stores;

/// <summary>The kinds of <see cref="LockNotification"/>.</summary>
public enum LockNotificationKind
{
    /// <summary>A lock was passed to a waiter of the node, which is to claim it within the claim window.</summary>
    Granted,

    /// <summary>The connection was lost and is back: notifications may have been missed, and every waiter is to ask again.</summary>
    Reconnected,

    /// <summary>
    /// The lock may be free sooner than the waiter was told when it asked: it is to ask again in a while, unless it hears
    /// otherwise. So the next waiters learn that one before them is dead, and that a lock is free for whoever comes first.
    /// </summary>
    AskAgain,

    /// <summary>The lock was revoked, by <see cref="ILockStoreAdministration.RevokeAsync"/>.</summary>
    Revoked,

    /// <summary>The holder is asked to step down, by <see cref="ILockStoreAdministration.AskToStepDownAsync"/>: nothing of the lock has changed.</summary>
    StepDown,
}
