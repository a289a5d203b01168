using System.Data.Common;

namespace Coordination;

/// <summary>
/// A granted lock as work sees it that relies on the lock and does not release it: the work of a term, a job. Who holds it, its fencing token, and a
/// deadline on the holder's own monotonic clock.
/// </summary>
/// <remarks>
/// <para>What the lease promises while the process is being scheduled: <see cref="Lost"/> is cancelled at least the safety margin
/// before the store can grant the lock to anyone else. What no signal can promise: a process that is paused for longer than the
/// lease does not run, so it is told only when it wakes. Pass <see cref="FencingToken"/> to the resource, and let the resource
/// refuse a token that is lower than one it has seen.</para>
/// <para>Implemented by this library alone; members may be added.</para>
/// </remarks>
public interface ILease
{
    /// <summary>The name of the lock.</summary>
    string LockName { get; }

    /// <summary>Who holds the lock.</summary>
    LockOwner Owner { get; }

    /// <summary>
    /// A number that is greater than that of every earlier grant of the same lock, also after the store lost its data. The same
    /// for all leases of one owner that re-entered the lock.
    /// </summary>
    /// <remarks>Of a semaphore several hold one at a time: compare it with those of the same <see cref="Permit"/> alone.</remarks>
    long FencingToken { get; }

    /// <summary>The number of the permit, which no other live holder of the semaphore has: from zero up to the number of permits less one.</summary>
    /// <value>Null for a lock that is no semaphore.</value>
    int? Permit { get; }

    /// <summary>
    /// Cancelled when the lease can no longer be relied on. Not cancelled by an orderly release. The token turns cancelled on time
    /// even when the thread pool is exhausted; callbacks that are registered on it run on the pool, when it has a thread for them.
    /// </summary>
    CancellationToken Lost { get; }

    /// <summary>
    /// Cancelled when the holder is asked to step down, as by <see cref="ILockInspector.StepDownAsync"/>: to end its work and then to let the lock pass. The lease stands, is renewed and is
    /// to be released by whoever holds it; nothing follows if nobody does. Callbacks run as those of <see cref="Lost"/>.
    /// </summary>
    CancellationToken StepDownRequested { get; }

    /// <summary>What the holder was asked when it was asked to step down last.</summary>
    /// <value>Null while it was not.</value>
    StepDownRequest? StepDownRequest { get; }

    /// <summary>Why the lease was lost; null while it is not.</summary>
    LeaseLossReason? LossReason { get; }

    /// <summary>The state at this moment. Reading it compares the deadline with the clock, so it is true also right after a pause.</summary>
    LeaseState State { get; }

    /// <summary>
    /// How long the lease can still be relied on if no renewal succeeds from now on, on the holder's own clock and less the
    /// safety margin. Zero when it is lost or released.
    /// </summary>
    TimeSpan Remaining { get; }

    /// <summary>
    /// Says that the work gets on. With <see cref="LockOptions.ProgressTimeout"/> the lease is renewed only as long as the last report is no older than that; without it, and on a
    /// lease that is over, this does nothing.
    /// </summary>
    /// <remarks>
    /// May be called by any thread, and as often as you like: it notes the time, asks nobody and allocates nothing. Call it where a step of the work is done, and not from a
    /// timer, which goes on while the work hangs.
    /// </remarks>
    void ReportProgress();

    /// <summary>
    /// Lets a transaction of your own commit only while this lease stands, on a store whose locks are in the same database, as PostgreSQL's can be: from here to the end of the transaction
    /// the lock is granted to nobody else. A holder that is one no more cannot commit, and one that is cannot be overtaken before its commit.
    /// </summary>
    /// <remarks>
    /// <para>Call it at any place in the transaction before its commit where no savepoint is open, best at its beginning: a rollback to a savepoint would undo a guard that came after it, so
    /// such a guard is refused. Savepoints that are made after the guard, as EF Core makes one in each SaveChanges, take nothing of it back. What the lease protects in other places than this database is protected by <see cref="FencingToken"/> as ever.</para>
    /// <para>Commit or roll back before you release the lease: a release waits for the transaction. So does whoever is to have the lock next, when the lease ran out or was revoked. What
    /// is not renewed any more, because its process is paused or for any other reason, keeps them waiting for one more lease at most after the end of its own, or for five seconds where
    /// the lease was shorter: then its session is ended, where the store may do that. A guarded transaction that is prepared for a two-phase commit (PREPARE TRANSACTION) has no session,
    /// and keeps them waiting until somebody commits it or rolls it back.</para>
    /// <para>Whenever this throws, the transaction commits nothing any more, also with the exception caught and after a rollback to a savepoint; the savepoints are gone. It can be rolled
    /// back and disposed of as ever. PostgreSQL makes a rollback of its commit, and Npgsql reports that commit as a success: let the exception pass. Left as they are, and able to commit
    /// with no guard, are only transactions that are none of the store's kind, that have ended, or whose connection is in use.</para>
    /// </remarks>
    /// <param name="transaction">A transaction that is under way on the store's database.</param>
    /// <param name="cancellationToken">Ends the call, after the transaction was made unable to commit.</param>
    /// <exception cref="LeaseLostException">The lease is lost. Roll the transaction back.</exception>
    /// <exception cref="InvalidOperationException">
    /// The lease was released; or a savepoint of the transaction is open; or its connection is in use, by a reader that is open or a command that is under way.
    /// </exception>
    /// <exception cref="ArgumentNullException"><paramref name="transaction"/> is null.</exception>
    /// <exception cref="ArgumentException">The transaction is none of the store's database, has ended or failed, or is read-only. The lease stands.</exception>
    /// <exception cref="NotSupportedException">The store has no transactions that users share.</exception>
    /// <exception cref="LockStoreException">The store is away, or refuses. Roll the transaction back.</exception>
    /// <exception cref="OperationCanceledException">The token was cancelled.</exception>
    Task GuardAsync(DbTransaction transaction, CancellationToken cancellationToken = default);
}
