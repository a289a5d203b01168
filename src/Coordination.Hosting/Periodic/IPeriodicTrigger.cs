namespace Coordination;

/// <summary>Runs an <see cref="ExclusivePeriodicService"/> out of turn, as an operator or a test does. Inject it.</summary>
/// <typeparam name="TService">The service.</typeparam>
/// <remarks>Implemented by this library alone; members may be added.</remarks>
public interface IPeriodicTrigger<TService>
    where TService : ExclusivePeriodicService
{
    /// <summary>
    /// Runs it now, on this node, beside its schedule: waits until no other run is under way in the cluster, and for the end of its own.
    /// </summary>
    /// <param name="cancellationToken">Ends the wait, and tells the run to stop.</param>
    /// <exception cref="OperationCanceledException">The token was cancelled, or the host stops: the run did not begin, or was cut short.</exception>
    /// <exception cref="LeaseLostException">The lease was lost while it ran.</exception>
    /// <exception cref="LockStoreException">The store refused in a way that no retry changes.</exception>
    /// <remarks>Throws also what the run throws.</remarks>
    Task RunNowAsync(CancellationToken cancellationToken = default);
}
