using Coordination.Leases;
using Coordination.Locks;
using Coordination.Stores;

namespace Coordination.Occurrences;

/// <summary>Locks for work that is done once for each of its scheduled times.</summary>
internal sealed class OccurrenceLocks(Acquisition acquisition)
{
    /// <summary>Tries once.</summary>
    /// <param name="lockName">The lock, by a name that was checked.</param>
    /// <param name="options">How it is held, checked as well; null for the defaults.</param>
    /// <param name="occurrence">The occurrence; null for none.</param>
    /// <param name="cancellationToken">Ends the try. What comes in the same moment is given back, the occurrence with it.</param>
    /// <exception cref="LockStoreException">The store could not answer.</exception>
    public ValueTask<OccurrenceAttempt> TryAcquireAsync(string lockName, LockOptions? options, Occurrence? occurrence, CancellationToken cancellationToken) =>
        acquisition.TryOnceAsync(lockName, owner: null, options, occurrence, cancellationToken);

    /// <summary>Waits for the lock as others do, whatever the occurrence, and then asks for the occurrence.</summary>
    /// <param name="lockName">The lock, by a name that was checked.</param>
    /// <param name="options">How it is held, checked as well; null for the defaults.</param>
    /// <param name="occurrence">The occurrence; null for none.</param>
    /// <param name="timeout">How long to wait; or <see cref="Timeout.InfiniteTimeSpan"/>.</param>
    /// <param name="cancellationToken">Ends the wait. What comes in the same moment is passed on, the occurrence with it.</param>
    /// <exception cref="LockStoreException">The store refused for good, or could not answer for the occurrence.</exception>
    public async Task<OccurrenceAttempt> AcquireAsync(string lockName, LockOptions? options, Occurrence? occurrence, TimeSpan timeout, CancellationToken cancellationToken) =>
        await acquisition.WaitAsync(lockName, owner: null, options, timeout, cancellationToken).ConfigureAwait(false) switch
        {
            null => default,
            LeaseHandle lease when occurrence is not null => await acquisition.ConfirmAsync(lease, occurrence, cancellationToken).ConfigureAwait(false),
            var lease => new OccurrenceAttempt(lease, null, OccurrenceStatus.None, null),
        };

    /// <summary>Gives back a lease whose work was begun and not finished: its occurrence is for whoever makes it up, as after a crash, and sooner.</summary>
    public static Task AbandonAsync(ILockLease lease)
    {
        var abandoned = (LeaseHandle)lease;
        abandoned.Lease.Occurrence = null;
        return abandoned.UndoAsync();
    }
}
