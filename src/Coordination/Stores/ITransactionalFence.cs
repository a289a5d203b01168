using System.Data.Common;

namespace Coordination.Stores;

/// <summary>
/// What a store can do beside <see cref="ILockStore"/> whose locks are in a database that users have transactions on: to let a transaction commit only while a grant stands. For authors of
/// stores; <see cref="ILease.GuardAsync"/> asks for it.
/// </summary>
/// <remarks>
/// From the moment at which <see cref="GuardAsync"/> has replied true to the end of the transaction the lock is granted to nobody else, however the grant ends meanwhile: whoever is to
/// have it next waits for that end, and a rollback to a savepoint takes nothing of it back. How long a holder that is paused inside its transaction keeps the next one waiting is bounded by
/// the store. Whoever asks calls <see cref="Accept"/> first, and <see cref="RefuseAsync"/> whenever what follows does not end with a transaction that is guarded.
/// </remarks>
public interface ITransactionalFence
{
    /// <summary>Takes a transaction as one to guard, with no call to the database.</summary>
    /// <param name="transaction">The transaction. One that is not taken is left as it is.</param>
    /// <exception cref="ArgumentException">The transaction is of another kind than those of the store's database, or has ended.</exception>
    /// <exception cref="InvalidOperationException">Its connection is in use just then.</exception>
    void Accept(DbTransaction transaction);

    /// <summary>
    /// Leaves a transaction that was accepted and is not guarded unable to commit, with all that was done in it, also after a rollback to a savepoint. It can be rolled back and disposed of
    /// as ever.
    /// </summary>
    /// <remarks>Throws nothing of the database's: a transaction whose connection is lost cannot commit either. Goes on whatever the caller's token says.</remarks>
    /// <param name="transaction">The transaction. Nothing is done to one that has ended.</param>
    Task RefuseAsync(DbTransaction transaction);

    /// <summary>Makes ready for guarding transactions by a grant, which costs the grants that nobody guards by nothing. Once for each grant; may be repeated.</summary>
    /// <param name="request">The grant.</param>
    /// <param name="cancellationToken">Ends the call.</param>
    /// <returns>Whether the grant stands.</returns>
    /// <exception cref="LockStoreException">The store is away (transient), or refuses.</exception>
    Task<bool> PrepareGuardAsync(GuardRequest request, CancellationToken cancellationToken);

    /// <summary>Guards a transaction.</summary>
    /// <param name="request">The grant, which was made ready.</param>
    /// <param name="transaction">A transaction on the store's own database, which was accepted.</param>
    /// <param name="cancellationToken">Ends the call. The transaction may be guarded all the same.</param>
    /// <returns>Whether it is guarded. Where it is not, the grant has ended.</returns>
    /// <exception cref="ArgumentException">The transaction is none of the store's database, has failed or ended, or writes nothing.</exception>
    /// <exception cref="InvalidOperationException">The transaction has a savepoint, a rollback to which would take the guard back.</exception>
    /// <exception cref="LockStoreException">The database is away (transient), or refuses.</exception>
    Task<bool> GuardAsync(GuardRequest request, DbTransaction transaction, CancellationToken cancellationToken);
}
