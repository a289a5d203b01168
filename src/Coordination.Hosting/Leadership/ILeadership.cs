namespace Coordination;

/// <summary>
/// Who leads: whether this node does the work of an <see cref="ExclusiveBackgroundService"/>, and which one does if not. By service,
/// as <see cref="ILeadership{TService}"/>, or by the name of the lock, as <c>[FromKeyedServices("name")] ILeadership</c>.
/// </summary>
/// <remarks>
/// What it says may be outdated when you act on it. Use it to show and to route; work that must not be done twice belongs into the
/// service, with the fencing token of its lease.
/// Implemented by this library alone; members may be added.
/// </remarks>
public interface ILeadership
{
    /// <summary>The name of the service's lock.</summary>
    string LockName { get; }

    /// <summary>
    /// Whether this node leads at this moment. Compares the lease's deadline with the clock, so it is true also right after a pause. Stays
    /// true while the host stops, until the work has returned.
    /// </summary>
    bool IsLeader { get; }

    /// <summary>
    /// Who leads, as far as this node knows: itself, or the node it saw when it last asked the store, which it does when it begins to
    /// stand by and then once per lease duration. Null when nobody leads, or the store is away, and is not asked then.
    /// </summary>
    LeaderInfo? Leader { get; }

    /// <summary>The leadership as it is, and then each change that this node sees, until the service has stopped.</summary>
    /// <remarks>
    /// Any number of watchers may watch, each in its own time, and none holds up the service: a watcher that falls more than 16
    /// changes behind misses the oldest of them, and never the latest.
    /// </remarks>
    /// <param name="cancellationToken">Ends the watch.</param>
    /// <exception cref="OperationCanceledException">The token was cancelled.</exception>
    IAsyncEnumerable<LeadershipChange> WatchAsync(CancellationToken cancellationToken = default);

    /// <summary>Asks the store who leads now, and waits 2 s for the reply at most.</summary>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <returns>Who leads; null when nobody does.</returns>
    /// <exception cref="OperationCanceledException">The token was cancelled.</exception>
    /// <exception cref="LockStoreException">The store could not reply.</exception>
    /// <exception cref="NotSupportedException">The store has no administration, so nobody can look at its locks.</exception>
    ValueTask<LeaderInfo?> GetLeaderAsync(CancellationToken cancellationToken = default);
}
