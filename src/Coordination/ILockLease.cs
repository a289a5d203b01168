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
    /// touches a lock that another owner holds by now, however late or often it is called, and never throws because the store is away. Who was asked to
    /// step down and to let a node of choice have the lock (<see cref="StepDownRequest.Successor"/> of <see cref="ILease.StepDownRequest"/>) passes it to that one, if it waits.
    /// </summary>
    /// <param name="cancellationToken">
    /// Ends the wait for the result. The release is sent all the same, also when the token is cancelled already.
    /// </param>
    /// <returns>What the release found.</returns>
    /// <exception cref="OperationCanceledException">The token was cancelled; the release goes on without the caller.</exception>
    Task<ReleaseResult> ReleaseAsync(CancellationToken cancellationToken = default);

    /// <summary>Releases the lease, and passes the lock to a node of choice, if it waits for it then; else to the next waiter, as <see cref="ReleaseAsync(CancellationToken)"/>.</summary>
    /// <param name="successor">
    /// The id of the node, as <see cref="LockOwner.NodeId"/> of a waiter has it: its first waiter goes before those that came earlier. Null for the next waiter, whoever it is. Of no use
    /// with <see cref="LockOptions.AllowBarging"/>, and while <see cref="LockOptions.LockAtLeastFor"/> keeps the lock.
    /// </param>
    /// <param name="cancellationToken">
    /// Ends the wait for the result. The release is sent all the same, also when the token is cancelled already.
    /// </param>
    /// <returns>What the release found. Not whether that node has the lock.</returns>
    /// <remarks>Of several releases of one lease the first one counts, and its successor.</remarks>
    /// <exception cref="ArgumentException">The successor is no node's id: it is empty, has more than 256 characters, or has a slash or control characters. Nothing was released.</exception>
    /// <exception cref="OperationCanceledException">The token was cancelled; the release goes on without the caller.</exception>
    Task<ReleaseResult> ReleaseAsync(string? successor, CancellationToken cancellationToken = default);
}
