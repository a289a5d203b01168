namespace Coordination.Stores;

/// <summary>
/// What an operator wants of a store beside <see cref="ILockStore"/>: who holds what, who waits for it, and how to revoke
/// a lock. Locks work without it; <see cref="ILockInspector"/>, the leader that a standby names, and the health check ask for it.
/// </summary>
/// <remarks>
/// For authors of stores: a store implements it beside <see cref="ILockStore"/>. Failures are thrown as <see cref="LockStoreException"/>, as there; a store that
/// has no such operation throws <see cref="NotSupportedException"/>, with a sentence that says so. The contract suite for stores, <c>LockStoreContract</c>,
/// needs it: it looks at queues and holders by it.
/// </remarks>
public interface ILockStoreAdministration
{
    /// <summary>Looks at a lock without changing it.</summary>
    /// <param name="lockName">The lock.</param>
    /// <param name="cancellationToken">Ends the call.</param>
    /// <returns>Who holds it; null when nobody does.</returns>
    Task<LockHolder?> GetHolderAsync(string lockName, CancellationToken cancellationToken);

    /// <summary>Looks at a lock and its queue without changing them.</summary>
    /// <param name="lockName">The lock.</param>
    /// <param name="maxWaiters">How many waiters to list at most, from the front of the queue.</param>
    /// <param name="cancellationToken">Ends the call.</param>
    Task<LockInspection> InspectAsync(string lockName, int maxWaiters, CancellationToken cancellationToken);

    /// <summary>Lists the locks that are held, a page at a time. Locks that come or go meanwhile may be on a page or not.</summary>
    /// <param name="cursor">Null for the first page, then what the page before it said in <see cref="LockPage.Next"/>.</param>
    /// <param name="cancellationToken">Ends the call.</param>
    Task<LockPage> ListAsync(string? cursor, CancellationToken cancellationToken);

    /// <summary>
    /// Revokes a lock: takes it from its holder, and passes it on as a release would; whatever time it was to be locked at least is over. The
    /// holder's node is told, and a renewal of the holder is replied to with <see cref="RenewalReply.Revoked"/> until its lease would have run out.
    /// A question, and no release: one that is cancelled before it is sent is not sent later.
    /// </summary>
    /// <param name="lockName">The lock.</param>
    /// <param name="fencingToken">The token of the grant that is to end, so that no newer one is hit.</param>
    /// <param name="claimWindow">How long the lock stays passed to the next waiter without being claimed.</param>
    /// <param name="cancellationToken">Ends the call.</param>
    /// <returns>Whether the lock was held under that token.</returns>
    Task<bool> RevokeAsync(string lockName, long fencingToken, TimeSpan claimWindow, CancellationToken cancellationToken);

    /// <summary>
    /// Tells the node of a holder that it is asked to step down. Nothing of the lock changes, and what is told may be lost: whoever asks, asks again until the grant has ended.
    /// </summary>
    /// <param name="lockName">The lock.</param>
    /// <param name="fencingToken">The token of the grant that is to end, so that no newer one is meant.</param>
    /// <param name="request">What its holder is asked.</param>
    /// <param name="cancellationToken">Ends the call.</param>
    /// <returns>Whether the lock is held under that token, claimed or not.</returns>
    Task<bool> AskToStepDownAsync(string lockName, long fencingToken, StepDownRequest request, CancellationToken cancellationToken) =>
        throw new NotSupportedException($"The store of type {GetType()} cannot ask a holder to step down: it does not implement {nameof(AskToStepDownAsync)} of {nameof(ILockStoreAdministration)}.");

    /// <summary>Forgets the last <see cref="Occurrence"/> of a series.</summary>
    /// <param name="lockName">The lock.</param>
    /// <param name="series">The series.</param>
    /// <param name="cancellationToken">Ends the call.</param>
    /// <returns>Whether there was one.</returns>
    Task<bool> ForgetOccurrenceAsync(string lockName, string series, CancellationToken cancellationToken) =>
        throw new NotSupportedException($"The store of type {GetType()} cannot forget occurrences: it does not implement {nameof(ForgetOccurrenceAsync)} of {nameof(ILockStoreAdministration)}.");

    /// <summary>Asks the store whether it is there and, as far as it can tell, whether it takes writes. The health check of a node without calls of its own asks that.</summary>
    /// <param name="cancellationToken">Ends the call.</param>
    Task PingAsync(CancellationToken cancellationToken);
}
