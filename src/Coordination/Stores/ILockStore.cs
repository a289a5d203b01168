namespace Coordination.Stores;

/// <summary>
/// The backend that keeps the locks: the seam between what is hard to get right once (deadlines, the watchdog, waiting, retry,
/// cancellation, telemetry), which stands above it, and what each backend does in its own way.
/// </summary>
/// <remarks>
/// <para>Each operation is atomic in the store and may be repeated: repeating a request that was applied changes nothing. A repeated
/// acquisition or renewal gives the same answer; a repeated release answers that the lock is not held. Failures are thrown as
/// <see cref="LockStoreException"/>, which says whether a retry may help. A cancelled call may still be applied later, and callers
/// count on nothing else.</para>
/// <para>The queue of a lock is kept in order of arrival. A waiter is alive until the moment that its last request named; dead
/// ones are skipped. A lock that becomes free passes straight to the first live waiter, for the claim window, and that waiter's node
/// is told; a waiter that was passed the lock and did not claim it is skipped from then on until it asks again, at its old place.
/// The next waiters of other nodes, up to three, are told to ask again when it should have claimed it, each one a claim window later than
/// the one before.</para>
/// <para>Operators ask a store for more, by <see cref="ILockStoreAdministration"/>, which it implements as well; locks do not need it.</para>
/// <para>The contract test suite in the project's tests is the full statement; a new store inherits it.</para>
/// </remarks>
public interface ILockStore
{
    /// <summary>A short name for logs, metrics and health results, such as <c>redis</c>.</summary>
    string Name { get; }

    /// <summary>
    /// Tries to acquire a lock. Granted when the lock is free and no other live waiter is queued before the owner (or whoever is, with
    /// <see cref="AcquireRequest.AllowBarging"/>), or when the owner holds it already (by this entry, or one more) or was passed it.
    /// Else, with <see cref="AcquireRequest.Wait"/>, joins the queue or refreshes the place in it. Never shortens the lease that the owner has.
    /// With <see cref="AcquireRequest.Occurrence"/> it is granted only if neither that occurrence nor a later one of its series was run, and the occurrence is
    /// remembered as begun in the same step; a request that is refused for that leaves the queue.
    /// </summary>
    Task<AcquireReply> AcquireAsync(AcquireRequest request, CancellationToken cancellationToken);

    /// <summary>
    /// Extends locks that their owners still hold, and only those: never makes a lock again and never touches another's. A lock
    /// that was passed to a waiter and not claimed yet counts as held. Never shortens a lease.
    /// </summary>
    /// <returns>For each request in turn, what was found.</returns>
    Task<IReadOnlyList<RenewalReply>> RenewAsync(IReadOnlyList<RenewalRequest> requests, CancellationToken cancellationToken);

    /// <summary>
    /// Tells apart the parts of a store that may be away alone, such as the slots of a Redis Cluster: one <see cref="RenewAsync"/> is asked
    /// for locks of one part only, so that it fails for none of the others. Makes no call. One part for all by default.
    /// </summary>
    /// <param name="lockName">A lock.</param>
    /// <returns>Any number, the same for locks of the same part.</returns>
    int PartitionOf(string lockName) => 0;

    /// <summary>
    /// Takes the owner's entry out of the lock, and that entry's place out of the queue, and passes the lock to the first live waiter
    /// when that was its last entry. A lock that was passed to the owner and not claimed yet is passed on as well. A lock that is to be
    /// locked for some time at least stays taken until then, by nobody. The owner's <see cref="ReleaseRequest.Occurrence"/> is remembered as finished,
    /// or as free for another run; one that finds the lock not to be the owner's changes nothing of it.
    /// </summary>
    Task<ReleaseReply> ReleaseAsync(ReleaseRequest request, CancellationToken cancellationToken);

    /// <summary>
    /// Begins to hear what the store has to tell a node. Once per node, whatever the number of locks. When the task completes,
    /// nothing that happens from then on is missed while the connection stands.
    /// </summary>
    /// <param name="nodeId">The node whose waiters' grants are to be heard.</param>
    /// <param name="handler">Called for each notification, on any thread, quick and without throwing.</param>
    /// <param name="cancellationToken">Ends the wait for the subscription.</param>
    /// <returns>Ends the subscription when it is disposed.</returns>
    Task<IAsyncDisposable> SubscribeAsync(string nodeId, Action<LockNotification> handler, CancellationToken cancellationToken);
}
