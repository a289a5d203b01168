namespace Coordination;

/// <summary>For operators: who holds what, who waits for it, and how to revoke a lock. Safe for use by several threads.</summary>
/// <remarks>
/// Registered by <c>AddCoordination</c>. Sees all locks of the store that have its prefix, whichever node holds them. Of a store of your own
/// that does not implement <c>ILockStoreAdministration</c> nothing can be seen: each call throws a <see cref="NotSupportedException"/>.
/// Implemented by this library alone; members may be added.
/// </remarks>
public interface ILockInspector
{
    /// <summary>Looks at a lock and its queue, without changing them.</summary>
    /// <param name="lockName">The lock, by its name as for <see cref="ILockProvider.GetLock"/>.</param>
    /// <param name="maxWaiters">How many waiters to list at most, from the front of the queue: 0 to 10,000.</param>
    /// <param name="cancellationToken">Ends the call.</param>
    /// <returns>What the store says in one moment; with no holder and no waiters when nobody uses the lock.</returns>
    /// <exception cref="ArgumentException">The name is not one of a lock, or the number is out of its range.</exception>
    /// <exception cref="LockStoreException">The store could not be asked, or something else wrote the lock's key.</exception>
    /// <exception cref="OperationCanceledException">The token was cancelled.</exception>
    Task<LockInspection> InspectAsync(string lockName, int maxWaiters = 100, CancellationToken cancellationToken = default);

    /// <summary>
    /// The names of the locks that are held, each once, in no order. Read in pages (on Redis with SCAN, on a Cluster from each primary),
    /// so that no server is held up; locks that are granted or released meanwhile may be among them or not.
    /// </summary>
    /// <param name="cancellationToken">Ends the listing.</param>
    /// <exception cref="LockStoreException">The store could not be asked for a page.</exception>
    /// <exception cref="OperationCanceledException">The token was cancelled.</exception>
    IAsyncEnumerable<string> ListAsync(CancellationToken cancellationToken = default);

    /// <summary>How many locks are held, counted as by <see cref="ListAsync"/>.</summary>
    /// <param name="cancellationToken">Ends the count.</param>
    /// <exception cref="LockStoreException">The store could not be asked for a page.</exception>
    /// <exception cref="OperationCanceledException">The token was cancelled.</exception>
    Task<long> CountAsync(CancellationToken cancellationToken = default);

    /// <summary>
    /// Revokes a lock: takes it from its holder, at once, and passes it to the first waiter. Also ends what is left of
    /// <see cref="LockOptions.LockAtLeastFor"/> after a release.
    /// </summary>
    /// <remarks>
    /// The holder learns of it as a loss, by <see cref="LeaseLossReason.Revoked"/>: at once when its node hears of it, else
    /// at its next renewal. Until its code has stopped it works beside the next holder: the
    /// resource has to look at the fencing token. Meant for a holder that hangs.
    /// </remarks>
    /// <param name="lockName">The lock.</param>
    /// <param name="fencingToken">The token of the grant that is to end, as <see cref="InspectAsync"/> tells it: a newer grant is not touched.</param>
    /// <param name="cancellationToken">Ends the wait; the lock may be revoked all the same.</param>
    /// <returns>Whether the lock was held under that token. A repeated call after a lost reply may say false.</returns>
    /// <exception cref="ArgumentException">The name is not one of a lock.</exception>
    /// <exception cref="LockStoreException">The store could not be asked.</exception>
    /// <exception cref="OperationCanceledException">The token was cancelled.</exception>
    Task<bool> RevokeAsync(string lockName, long fencingToken, CancellationToken cancellationToken = default);

    /// <summary>
    /// Asks who holds a lock to step down: to end its work, and then to let the lock pass. An exclusive service does so by itself; code that holds a lock looks at
    /// <see cref="ILease.StepDownRequested"/>, or does not. Nothing is taken from anybody. Asks again, for what is asked may be lost on its way, until each grant that was asked has ended.
    /// Of several who ask, what was asked last counts, and null leaves what was asked before.
    /// </summary>
    /// <param name="lockName">The lock.</param>
    /// <param name="successor">
    /// Who is to have the lock next, if it waits for it: the id of a node, or its name (<see cref="LockOwner.NodeName"/>), which stands for its first waiter that is alive. Null, the default, for
    /// whom others named who asked before, or else the first in the queue, as for one that does not wait.
    /// </param>
    /// <param name="stayAway">How long a service that steps down is not to want the lock again: from zero to 49 days. Null, the default, for what was asked before, or else zero.</param>
    /// <param name="fencingToken">The token of the grant that is to end, as <see cref="InspectAsync"/> tells it. Null, the default, for all who hold the lock now.</param>
    /// <param name="timeout">
    /// How long to ask, replies of the store included: from zero, for once, to 49 days; or <see cref="Timeout.InfiniteTimeSpan"/>. Null, the default, for 1 minute. To ask
    /// once takes as long as the store takes, up to 5 seconds for a reply.
    /// </param>
    /// <param name="cancellationToken">Ends the wait; who was asked steps down all the same.</param>
    /// <returns>Whether the lock was held, and whether each of those grants has ended, released or lost.</returns>
    /// <exception cref="ArgumentException">The name is not one of a lock, <paramref name="successor"/> not one of a node, or a time is out of its range.</exception>
    /// <exception cref="NotSupportedException">The store cannot ask holders to step down.</exception>
    /// <exception cref="LockStoreException">The store could not be asked, the first time, or not in the time of <paramref name="timeout"/>; or refused for good.</exception>
    /// <exception cref="OperationCanceledException">The token was cancelled.</exception>
    Task<StepDownResult> StepDownAsync(
        string lockName, string? successor = null, TimeSpan? stayAway = null, long? fencingToken = null, TimeSpan? timeout = null, CancellationToken cancellationToken = default);

    /// <summary>
    /// Forgets the scheduled times of recurring work that the store remembers, of an exclusive lock the last one, so that a node which comes to one of them or one before may run it: of use
    /// where that time lies in the future, because a clock was ahead. It runs nothing by itself, and a scheduler does not come to a time again that it has passed: work
    /// that failed is run again by hand, by what schedules it. A run under way is not touched, and what it is remembered by is forgotten as well.
    /// </summary>
    /// <param name="lockName">The lock of the work.</param>
    /// <param name="series">The series of scheduled times, as the log names it.</param>
    /// <param name="cancellationToken">Ends the wait; the time may be forgotten all the same.</param>
    /// <returns>Whether there was one to forget. A repeated call after a lost reply may say false.</returns>
    /// <exception cref="ArgumentException">The name is not one of a lock, or the series is empty.</exception>
    /// <exception cref="LockStoreException">The store could not be asked.</exception>
    /// <exception cref="OperationCanceledException">The token was cancelled.</exception>
    Task<bool> ForgetOccurrenceAsync(string lockName, string series, CancellationToken cancellationToken = default);
}
