namespace Coordination;

/// <summary>
/// Who leads: whether this node does the work of an <see cref="ExclusiveBackgroundService"/>, and which one does if not. By service,
/// as <see cref="ILeadership{TService}"/>, or by the name of the lock or of the registration, as <c>[FromKeyedServices("name")] ILeadership</c>. All of them
/// as <c>IEnumerable&lt;ILeadership&gt;</c>. For a lock that this process does not contend for, see <c>services.AddLeadership("lock name")</c>.
/// </summary>
/// <remarks>
/// <para>What it says may be outdated when you act on it. Use it to show and to route; work that must not be done twice belongs into the
/// service, with the fencing token of its lease.</para>
/// <para>With <see cref="ExclusiveServiceOptions.Instances"/> several nodes lead at a time, and <see cref="Leaders"/> has all of them. A node that is refused such a lock
/// is told of one of them, and a node that leads of none: what it knows of the others, it has asked for.</para>
/// <para>Implemented by this library alone; members may be added.</para>
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
    /// Who leads, as far as this node knows: itself, or the node that the store named last. It names one each time that it refuses the lock to this node, which
    /// asks for it whenever its turn may have come. Null when nobody leads, or nobody is known to: what was seen counts for as long as the leader's lease
    /// lasted then, and a second. Of several this node, if it is one of them, and else the one that has led for the longest time.
    /// </summary>
    /// <remarks>
    /// Returns at once. If what it returns is older than a second, the store is asked as well, for whoever asks next; <see cref="GetLeaderAsync"/> waits for the
    /// reply. Nothing is asked that nobody wants to know.
    /// </remarks>
    LeaderInfo? Leader { get; }

    /// <summary>All who lead, as far as this node knows: itself and the others, in the order of <see cref="LeaderInfo.Instance"/>. One at most where one node leads at a time.</summary>
    /// <value>Empty when nobody leads, or nobody is known to.</value>
    /// <remarks>
    /// Returns at once, and asks the store for whoever asks next, as <see cref="Leader"/> does; <see cref="GetLeadersAsync"/> waits for the reply. Until the first reply it may have
    /// some of them only.
    /// </remarks>
    IReadOnlyList<LeaderInfo> Leaders { get; }

    /// <summary>
    /// Whether this node leads when its turn comes: by <see cref="ExclusiveServiceOptions.CanLead"/>, or by <see cref="SetCanLead"/> where that was called, and not while the node is drained
    /// (<see cref="NodeDrain"/>). False for a lock that this process does not contend for.
    /// </summary>
    bool CanLead { get; }

    /// <summary>
    /// Says at run time whether this node leads. With false it leaves the queue, and where it leads it steps down: its work is cancelled and awaited, and then the lock passes. Returns at once.
    /// </summary>
    /// <param name="canLead">What counts from now on instead of the option; null for the option again.</param>
    /// <exception cref="InvalidOperationException">This process does not contend for the lock.</exception>
    void SetCanLead(bool? canLead);

    /// <summary>
    /// Has the leader step down, wherever it is, and waits until it has: its work is cancelled and awaited, and then the lock passes. Where this node leads, its own term ends; else all who lead are asked,
    /// again until they have stepped down.
    /// </summary>
    /// <param name="stayAway">
    /// How long that node does not contend after it: zero to 49 days. Null, the default, for not at all. It ends early where the node is drained and resumed, or may lead no more and then may:
    /// <see cref="SetCanLead"/>.
    /// </param>
    /// <param name="successor">
    /// The node that the lock passes to, if it waits for it then: its id, or its name (<see cref="LockOwner.NodeName"/>). Null, the default, for the one that is preferred, or else the first in the queue.
    /// Of no use with <see cref="LockOptions.AllowBarging"/>, and while <see cref="LockOptions.LockAtLeastFor"/> keeps the lock.
    /// </param>
    /// <param name="cancellationToken">Ends the wait. Who was asked steps down all the same.</param>
    /// <returns>Whether somebody led and stepped down. <see cref="StepDownResult.StillHeld"/> where a leader that was asked has not within a minute.</returns>
    /// <remarks>Asked again while the work ends, what was asked last counts; null leaves what was asked before. Not to be awaited by the work itself, which it waits for: that calls <see cref="ExclusiveTerm.StepDown"/>.</remarks>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="stayAway"/> is not in its range.</exception>
    /// <exception cref="ArgumentException"><paramref name="successor"/> is not one that a node has.</exception>
    /// <exception cref="NotSupportedException">The store cannot ask holders to step down, and another node leads.</exception>
    /// <exception cref="LockStoreException">The store could not be asked.</exception>
    /// <exception cref="OperationCanceledException">The token was cancelled.</exception>
    Task<StepDownResult> StepDownAsync(TimeSpan? stayAway = null, string? successor = null, CancellationToken cancellationToken = default);

    /// <summary>The leadership as it is, and then each change that this node sees, until the service has stopped.</summary>
    /// <remarks>
    /// <para>Any number of watchers may watch, each in its own time, and none holds up the service: a watcher that falls more than 16
    /// changes behind misses the oldest of them, and never the latest.</para>
    /// <para>A node that stands by learns of another leader when it asks for the lock: when it is told that its turn may have come, and when the lease of the leader
    /// ends. Where several lead, each that comes or goes is a change, and those that one reply of the store tells of are one. While somebody watches, the store is asked as well for what is older than two seconds: for one of all locks of the node in a second.</para>
    /// </remarks>
    /// <param name="cancellationToken">Ends the watch.</param>
    /// <exception cref="OperationCanceledException">The token was cancelled.</exception>
    IAsyncEnumerable<LeadershipChange> WatchAsync(CancellationToken cancellationToken = default);

    /// <summary>Asks the store who leads now, and waits 2 s for the reply at most.</summary>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <returns>Who leads, of several as <see cref="Leader"/> says; null when nobody does.</returns>
    /// <exception cref="OperationCanceledException">The token was cancelled.</exception>
    /// <exception cref="LockStoreException">The store could not reply.</exception>
    /// <exception cref="NotSupportedException">The store has no administration, so nobody can look at its locks.</exception>
    Task<LeaderInfo?> GetLeaderAsync(CancellationToken cancellationToken = default);

    /// <summary>Asks the store who lead now, and waits 2 s for the reply at most.</summary>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <returns>All who lead, in the order of <see cref="LeaderInfo.Instance"/>; empty when nobody does.</returns>
    /// <exception cref="OperationCanceledException">The token was cancelled.</exception>
    /// <exception cref="LockStoreException">The store could not reply.</exception>
    /// <exception cref="NotSupportedException">The store has no administration, so nobody can look at its locks.</exception>
    Task<IReadOnlyList<LeaderInfo>> GetLeadersAsync(CancellationToken cancellationToken = default);
}
