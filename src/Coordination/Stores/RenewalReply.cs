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
}
