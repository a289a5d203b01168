using System.Data.Common;

namespace Coordination.Stores;

/// <summary>
/// What a store can do beside <see cref="ILockStore"/> whose locks are in a database that users have transactions on: to let a transaction commit only while a grant stands. For authors of
/// stores; <see cref="ILease.GuardAsync"/> asks for it.
/// </summary>
/// <remarks>
/// From the moment at which <see cref="GuardAsync"/> has replied true to the end of the transaction the lock is granted to nobody else, however the grant ends meanwhile: whoever is to
/// have it next waits for that end. A transaction that is guarded after the grant has ended cannot commit. How long a holder that is paused inside its transaction keeps the next one waiting
/// is bounded by the store.
/// </remarks>
public interface ITransactionalFence
{
    /// <summary>Makes ready for guarding transactions by a grant, which costs the grants that nobody guards by nothing. Once for each grant; may be repeated.</summary>
    /// <param name="request">The grant.</param>
    /// <param name="cancellationToken">Ends the call.</param>
    /// <returns>Whether the grant stands.</returns>
    /// <exception cref="LockStoreException">The store is away (transient), or refuses.</exception>
    Task<bool> PrepareGuardAsync(GuardRequest request, CancellationToken cancellationToken);

    /// <summary>Guards a transaction.</summary>
    /// <param name="request">The grant, which was made ready.</param>
    /// <param name="transaction">A transaction on the store's own database.</param>
    /// <param name="cancellationToken">Ends the call. The transaction may be guarded all the same.</param>
    /// <returns>Whether it is guarded. Where it is not, the grant has ended, and the transaction can no longer commit.</returns>
    /// <exception cref="ArgumentException">The transaction is none of the store's database, or has ended.</exception>
    /// <exception cref="LockStoreException">The database is away (transient), or refuses.</exception>
    Task<bool> GuardAsync(GuardRequest request, DbTransaction transaction, CancellationToken cancellationToken);
}
