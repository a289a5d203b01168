namespace Coordination.Stores;

/// <summary>The store's reply to a <see cref="RenewalRequest"/>.</summary>
public enum RenewalReply
{
    /// <summary>The lock is not the owner's: it expired, was deleted, or is another's.</summary>
    NotHeld,

    /// <summary>The lock is the owner's, and lasts for the lease duration from now.</summary>
    Renewed,

    /// <summary>The lock was revoked, by <see cref="ILockStoreAdministration.RevokeAsync"/>.</summary>
    Revoked,

    /// <summary>
    /// Whether the lock is the owner's could not be found out now, as when somebody else works on it in this moment. Not a no: the lease is in doubt and stands, as after a renewal that
    /// failed, and is asked for again soon. For a store that can tell so of one of several locks; where it is true of all, a transient <see cref="LockStoreException"/> says so.
    /// </summary>
    Unknown,
}
