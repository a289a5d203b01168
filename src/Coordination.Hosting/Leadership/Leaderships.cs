using Coordination.Hosting.Services;
using Coordination.Waiting;

namespace Coordination.Hosting.Leadership;

/// <summary>All leaderships of this host: of its services, and of locks that it does not contend for.</summary>
internal sealed class Leaderships : IDisposable
{
    private readonly ExclusiveServices _services;
    private readonly Dictionary<ObservedLock, LockLeadership> _observed = [];
    private readonly List<IDisposable> _subscriptions = [];

    /// <exception cref="InvalidOperationException">A lock is one of a node that is not registered.</exception>
    public Leaderships(ExclusiveServices services, IEnumerable<ObservedLock> observed, IServiceProvider container)
    {
        _services = services;
        foreach (var asked in observed.Where(asked => services.FindLock(asked.LockName, asked.NodeName) is null))
        {
            var node = WorkNode.Find<ExclusiveServiceOptions>(container, asked.NodeName, $"The leadership by '{asked.LockName}'");
            var leadership = new LockLeadership(
                asked.LockName,
                node.GetRequired<ILockProvider>().NodeId,
                node.GetRequired<LeaderQuestions>(),
                node.GetOptions<CoordinationOptions>().LeaseDuration,
                isShared: false,
                node.GetShared<TimeProvider>());
            _observed.Add(asked, leadership);

            // This process may ask for the lock all the same, by hand.
            _subscriptions.Add(node.GetRequired<KnownHolders>().Subscribe(asked.LockName, holder => leadership.Saw(holder)));
        }
    }

    /// <returns>The one of a lock; null when this host has none.</returns>
    public ILeadership? OfLock(ObservedLock asked) =>
        _services.FindLock(asked.LockName, asked.NodeName)?.Leadership ?? (ILeadership?)_observed.GetValueOrDefault(asked);

    /// <returns>The one of a lock, of the node without a name if that has one, or else of a registration; null when this host has none.</returns>
    /// <exception cref="InvalidOperationException">Several nodes with a name have a lock of that name, or several services are registered under it.</exception>
    public ILeadership? Find(object? key) => key is string name ? OfLock(new ObservedLock(name, NodeName: null)) ?? OfNamedNode(name) ?? _services.FindKey(name)?.Leadership : null;

    private ILeadership? OfNamedNode(string lockName)
    {
        List<ILeadership> all =
        [
            .. _services.All.Where(service => service.Lock.Name == lockName).Select(static service => service.Leadership),
            .. _observed.Where(observed => observed.Key.LockName == lockName).Select(static observed => observed.Value),
        ];
        return all.Count < 2
            ? all.SingleOrDefault()
            : throw new InvalidOperationException($"Several nodes have a lock '{lockName}'. Ask by the service, as ILeadership<TService>, or for one of IEnumerable<ILeadership>.");
    }

    public void Dispose()
    {
        _subscriptions.ForEach(static subscription => subscription.Dispose());
        foreach (var leadership in _observed.Values)
        {
            leadership.Dispose();
        }
    }
}
