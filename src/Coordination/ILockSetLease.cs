namespace Coordination;

/// <summary>
/// The leases of several locks that were acquired together, all or none, by <see cref="ILockProvider.AcquireAllAsync(IEnumerable{string}, LockOptions?, CancellationToken)"/>. They are
/// renewed like any other, and released together. Disposing it releases them.
/// </summary>
/// <remarks>
/// <para>Keep it referenced while you rely on it: leases that were collected without being released are no longer renewed.</para>
/// <para>Implemented by this library alone; members may be added.</para>
/// </remarks>
public interface ILockSetLease : IAsyncDisposable
{
    /// <summary>The leases, each with its fencing token, in the ordinal order of the names.</summary>
    IReadOnlyList<ILease> Leases { get; }

    /// <summary>The lease of one of the locks.</summary>
    /// <param name="lockName">Its name.</param>
    /// <exception cref="KeyNotFoundException">It is none of them.</exception>
    ILease this[string lockName] { get; }

    /// <summary>
    /// Cancelled when any of the leases can no longer be relied on: its <see cref="ILease.LossReason"/> says why. The others hold until this is released. As
    /// <see cref="ILease.Lost"/>, it is on time with an exhausted thread pool, and not cancelled by an orderly release.
    /// </summary>
    CancellationToken Lost { get; }

    /// <summary>How long all of them can still be relied on if no renewal succeeds from now on: that of the lease which ends first.</summary>
    TimeSpan Remaining { get; }

    /// <summary>Says for all of them that the work gets on, as <see cref="ILease.ReportProgress"/>.</summary>
    void ReportProgress();

    /// <summary>Releases all of them, at the same time. Each as <see cref="ILockLease.ReleaseAsync(CancellationToken)"/>: never another's, and never throws because the store is away.</summary>
    /// <param name="cancellationToken">Ends the wait for the results. The releases are sent all the same.</param>
    /// <returns>What each release found, in the order of <see cref="Leases"/>.</returns>
    /// <exception cref="OperationCanceledException">The token was cancelled; the releases go on without the caller.</exception>
    Task<IReadOnlyList<ReleaseResult>> ReleaseAsync(CancellationToken cancellationToken = default);
}
