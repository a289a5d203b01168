using Coordination.Stores;

namespace Coordination.Locks;

/// <summary>Locks for work that is done once for each of its scheduled times.</summary>
internal sealed class FireLocks(Acquisition acquisition)
{
    /// <summary>Tries once.</summary>
    /// <param name="lockName">The lock, by a name that was checked.</param>
    /// <param name="options">How it is held, checked as well; null for the defaults.</param>
    /// <param name="fire">The fire; null for none.</param>
    /// <param name="cancellationToken">Ends the try. What comes in the same moment is given back, the fire with it.</param>
    /// <exception cref="LockStoreException">The store could not answer.</exception>
    public ValueTask<FireAttempt> TryAcquireAsync(string lockName, LockOptions? options, ScheduledFire? fire, CancellationToken cancellationToken) =>
        acquisition.TryOnceAsync(lockName, owner: null, options, fire, cancellationToken);

    /// <summary>Waits for the lock as others do, whatever the fire, and then asks for the fire.</summary>
    /// <param name="lockName">The lock, by a name that was checked.</param>
    /// <param name="options">How it is held, checked as well; null for the defaults.</param>
    /// <param name="fire">The fire; null for none.</param>
    /// <param name="timeout">How long to wait; or <see cref="Timeout.InfiniteTimeSpan"/>.</param>
    /// <param name="cancellationToken">Ends the wait. What comes in the same moment is passed on, the fire with it.</param>
    /// <exception cref="LockStoreException">The store refused for good, or could not answer for the fire.</exception>
    public async Task<FireAttempt> AcquireAsync(string lockName, LockOptions? options, ScheduledFire? fire, TimeSpan timeout, CancellationToken cancellationToken) =>
        await acquisition.WaitAsync(lockName, owner: null, options, timeout, cancellationToken).ConfigureAwait(false) switch
        {
            null => default,
            LockLease lease when fire is not null => await acquisition.ConfirmAsync(lease, fire, cancellationToken).ConfigureAwait(false),
            var lease => new FireAttempt(lease, null, FireStatus.None, null),
        };

    /// <summary>Gives back a lease whose work was begun and not finished: its fire is for whoever makes it up, as after a crash, and sooner.</summary>
    public static Task AbandonAsync(ILockLease lease)
    {
        var abandoned = (LockLease)lease;
        abandoned.Lease.Fire = null;
        return abandoned.GiveBackAsync();
    }
}
