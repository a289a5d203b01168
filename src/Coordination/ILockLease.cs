namespace Coordination;

/// <summary>
/// A lease that its holder releases: what <see cref="ILock"/> grants. It is renewed automatically until it is released, lost, or older than
/// <see cref="LockOptions.MaxHold"/>, and while <see cref="LockOptions.ProgressTimeout"/> lets it. Disposing it releases it.
/// </summary>
/// <remarks>
/// <para>Keep the lease referenced while you rely on it: a lease that was collected without being released is no longer renewed.</para>
/// <para>Implemented by this library alone; members may be added.</para>
/// </remarks>
public interface ILockLease : ILease, IAsyncDisposable
{
    /// <summary>Renews the lease now, beside the automatic renewal.</summary>
    /// <param name="cancellationToken">Ends the wait for the result; the renewal may still take place.</param>
    /// <returns>
    /// Whether the lease stands. <see cref="RenewalResult.Unknown"/> is not a no: the store could not be asked, and the lease
    /// holds until its deadline.
    /// </returns>
    /// <exception cref="OperationCanceledException">The token was cancelled.</exception>
    Task<RenewalResult> RenewAsync(CancellationToken cancellationToken = default);

    /// <summary>
    /// Releases the lease: renewals stop, one that is under way is awaited, and then the lock passes to the next waiter. Never
    /// touches a lock that another owner holds by now, however late or often it is called, and never throws because the store is away.
    /// </summary>
    /// <param name="cancellationToken">
    /// Ends the wait for the result. The release is sent all the same, also when the token is cancelled already.
    /// </param>
    /// <returns>What the release found.</returns>
    /// <exception cref="OperationCanceledException">The token was cancelled; the release goes on without the caller.</exception>
    Task<ReleaseResult> ReleaseAsync(CancellationToken cancellationToken = default);
}
