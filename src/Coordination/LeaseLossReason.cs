namespace Coordination;

/// <summary>Why a lease was lost.</summary>
public enum LeaseLossReason
{
    /// <summary>The deadline came with no renewal confirmed: the store was away, or the process was paused.</summary>
    DeadlinePassed,

    /// <summary>The store replied that the lock is not this owner's: it expired, was deleted, or the store lost its data.</summary>
    NotOwner,

    /// <summary>The lease reached <see cref="LockOptions.MaxHold"/> and was no longer renewed.</summary>
    MaxHoldReached,

    /// <summary>The lease object was collected without having been released, and was no longer renewed.</summary>
    Abandoned,

    /// <summary>An operator revoked the lock, by <see cref="ILockInspector.RevokeAsync"/>.</summary>
    Revoked,

    /// <summary>The provider was disposed while the lease was held, so that nothing renews it or watches its deadline any more.</summary>
    ProviderDisposed,

    /// <summary>The last <see cref="ILease.ReportProgress"/> was older than <see cref="LockOptions.ProgressTimeout"/>, and the lease was no longer renewed.</summary>
    NoProgress,
}
