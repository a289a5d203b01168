namespace Coordination;

/// <summary>What a manual renewal found.</summary>
public enum RenewalResult
{
    /// <summary>The lease stands, and its deadline was moved.</summary>
    Renewed,

    /// <summary>The lease does not stand: it is lost or released.</summary>
    NotHeld,

    /// <summary>The store could not be asked. The lease holds until its deadline.</summary>
    Unknown,

    /// <summary>The lease reached <see cref="LockOptions.MaxHold"/> and is not extended. It holds until its deadline.</summary>
    MaxHoldReached,

    /// <summary>The last <see cref="ILease.ReportProgress"/> is older than <see cref="LockOptions.ProgressTimeout"/>, and the lease is not extended until the next one. It holds until its deadline.</summary>
    NoProgress,
}
