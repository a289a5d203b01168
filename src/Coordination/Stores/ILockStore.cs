namespace Coordination.Stores;

/// <summary>
/// The backend that keeps the locks: the seam between what is hard to get right once (deadlines, the watchdog, waiting, retry,
/// cancellation, telemetry), which stands above it, and what each backend does in its own way. For authors of stores.
/// </summary>
/// <remarks>
/// <para>Each operation is atomic in the store and may be repeated: repeating a request that was applied changes nothing. A repeated
/// acquisition or renewal gets the same reply; a repeated release is told that the lock is not held. Failures are thrown as
/// <see cref="LockStoreException"/>, which says whether a retry may help.</para>
/// <para>Every operation but a release is a question. One that is cancelled before it was sent is not sent later, because its caller may
/// have undone it meanwhile; one that was sent may still be applied, and callers count on nothing else. A release has to be sent, so its
/// token ends only the wait for the reply.</para>
/// <para>The queue of a lock is kept in order of arrival. A waiter is alive until the moment that its last request named; dead
/// ones are skipped. A lock that becomes free passes straight to the first live waiter, for the claim window, and that waiter's node
/// is told; a waiter that was passed the lock and did not claim it is skipped from then on until it asks again, at its old place.
/// The next waiters of other nodes, up to three, are told to ask again when it should have claimed it, each one a claim window later than
/// the one before.</para>
/// <para>Operators ask a store for more, by <see cref="ILockStoreAdministration"/>, which it implements as well; locks do not need it.</para>
/// <para>The contract suite in the package <c>Coordination.Testing.Contracts</c> is the full statement; the tests of a new store inherit it.
/// It needs <see cref="ILockStoreAdministration"/> as well.</para>
/// </remarks>
public interface ILockStore
{
    /// <summary>A short name for logs, metrics and health results, such as <c>redis</c>.</summary>
    string Name { get; }

    /// <summary>Whether the store keeps locks that several may hold at a time: whether it does what a <see cref="LockShare"/> in a request asks.</summary>
    /// <value>False by default: then semaphores and reader-writer locks are refused with a sentence that says so.</value>
    bool KeepsShares => false;

    /// <summary>
    /// Tries to acquire a lock. Granted when the lock is free and no other live waiter is queued before the owner (or whoever is, with
    /// <see cref="AcquireRequest.AllowBarging"/>), or when the owner holds it already (by this entry, or one more) or was passed it.
    /// Else, with <see cref="AcquireRequest.Wait"/>, joins the queue or refreshes the place in it. Never shortens the lease that the owner has.
    /// With <see cref="AcquireRequest.Occurrence"/> it is granted only if neither that occurrence nor a later one of its series was run, and the occurrence is
    /// remembered as begun in the same step; a request that is refused for that leaves the queue. With <see cref="AcquireRequest.Share"/> as well, a later one does not count:
    /// of each series the last 64 occurrences are remembered each by itself, and earlier ones count as run.
    /// </summary>
    Task<AcquireReply> AcquireAsync(AcquireRequest request, CancellationToken cancellationToken);

    /// <summary>
    /// Tries to acquire several exclusive locks in one step: each would be granted by <see cref="AcquireAsync"/>, and then all are; or none is, and nothing changes, not even of a
    /// lock that is free and another's turn. Does not wait, and is asked for no occurrences.
    /// </summary>
    /// <param name="requests">The locks, which are different ones, and their owners.</param>
    /// <param name="cancellationToken">As of an acquisition.</param>
    /// <returns>
    /// For each request in turn the grant; or, where one is refused, what is known of the first that is, in its place, and a reply that says nothing in that of each other. Null, the
    /// default, where the store has no such step, or not for these locks: then nothing was asked, and they are acquired one after the other.
    /// </returns>
    Task<IReadOnlyList<AcquireReply>?> TryAcquireAllAsync(IReadOnlyList<AcquireRequest> requests, CancellationToken cancellationToken) =>
        Task.FromResult<IReadOnlyList<AcquireReply>?>(null);

    /// <summary>
    /// Extends locks that their owners still hold, and only those: never makes a lock again and never touches another's. A lock
    /// that was passed to a waiter and not claimed yet counts as held. Never shortens a lease, but where the entry that asks is the owner's only one: then
    /// the lease is what that one asks for.
    /// </summary>
    /// <remarks>
    /// The watchdog asks on a thread of its own, whose <see cref="SynchronizationContext"/> is current, so that renewals keep their time when the
    /// thread pool is exhausted. On a store that has replied before, this call must not need a thread of the pool: whatever it awaits it
    /// awaits on the captured context, with <c>ConfigureAwait(true)</c> and never through <see cref="Task.Run(Action)"/> or
    /// <see cref="Task{TResult}.WaitAsync(CancellationToken)"/>, which go by way of the pool; and what reads the replies of a server has a thread of its own.
    /// </remarks>
    /// <param name="requests">The locks and their owners: of one partition, as <see cref="PartitionOf"/> tells it when this is called.</param>
    /// <param name="cancellationToken">Ends the call.</param>
    /// <returns>For each request in turn, what was found.</returns>
    /// <exception cref="ArgumentException">The locks are of several partitions, by what <see cref="PartitionOf"/> tells. Nothing was sent.</exception>
    /// <exception cref="LockStoreException">
    /// Among other failures, a transient one where the locks turned out to be of several partitions after this was called: none was renewed, and
    /// <see cref="PartitionOf"/> tells them apart from now on.
    /// </exception>
    Task<IReadOnlyList<RenewalReply>> RenewAsync(IReadOnlyList<RenewalRequest> requests, CancellationToken cancellationToken);

    /// <summary>
    /// Tells apart the parts of a store that one call may not span, such as the slots of a Redis Cluster: one <see cref="RenewAsync"/> is asked
    /// for locks of one part only, so that it fails for none of the others. Makes no call. One part for all by default.
    /// </summary>
    /// <remarks>
    /// A store that has not reached its server yet may not know its parts, and tells of one until it does. So it is asked before each send,
    /// a repeated one as well, and what was grouped by an older result is grouped anew.
    /// </remarks>
    /// <param name="lockName">A lock.</param>
    /// <returns>Any number, the same for locks of the same part.</returns>
    int PartitionOf(string lockName) => 0;

    /// <summary>
    /// Tells apart the parts of a store that may be away alone, such as the shards of a Redis Cluster, each of which has many slots: when a call
    /// fails, the others for the same shard wait. Makes no call. Each partition by itself by default.
    /// </summary>
    /// <param name="lockName">A lock.</param>
    /// <returns>Any number, the same for locks of the same shard, also when another server takes its place.</returns>
    int ShardOf(string lockName) => PartitionOf(lockName);

    /// <summary>
    /// Takes the owner's entry out of the lock, and that entry's place out of the queue, and passes the lock to the first live waiter
    /// when that was its last entry. A lock that was passed to the owner and not claimed yet is passed on as well. A lock that is to be
    /// locked for some time at least is granted to nobody until then. The owner's <see cref="ReleaseRequest.Occurrence"/> is remembered as finished,
    /// or as free for another run; one that finds the lock not to be the owner's changes nothing of it.
    /// </summary>
    /// <remarks>
    /// This is also the undo of an acquisition whose reply nobody waits for any more, and how a waiter leaves the queue. It is sent whatever the
    /// token says, cancelled before the call or while it is under way: also when the connection is still being made, or the
    /// server has to be sent its script again.
    /// </remarks>
    /// <param name="request">What to release.</param>
    /// <param name="cancellationToken">Ends the wait for the reply, and nothing else.</param>
    Task<ReleaseReply> ReleaseAsync(ReleaseRequest request, CancellationToken cancellationToken);

    /// <summary>
    /// Begins to hear what the store has to tell a node. Once per node, whatever the number of locks. When the task completes,
    /// nothing that happens from then on is missed while the connection stands.
    /// </summary>
    /// <param name="nodeId">The node whose waiters' grants are to be heard.</param>
    /// <param name="handler">Called for each notification, on any thread, quick and without throwing.</param>
    /// <param name="cancellationToken">Ends the wait for the subscription.</param>
    /// <returns>Ends the subscription when it is disposed. One that was cancelled while it was being made is ended as well.</returns>
    Task<IAsyncDisposable> SubscribeAsync(string nodeId, Action<LockNotification> handler, CancellationToken cancellationToken);
}
