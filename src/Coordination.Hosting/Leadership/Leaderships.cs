using Coordination.Hosting.Services;
using Coordination.Waiting;
using Microsoft.Extensions.Options;

namespace Coordination.Hosting.Leadership;

/// <summary>All leaderships of this host: of its services, and of locks that it does not contend for.</summary>
internal sealed class Leaderships : IDisposable
{
    private readonly ExclusiveServices _services;
    private readonly Dictionary<string, LockLeadership> _observed = new(StringComparer.Ordinal);
    private readonly List<IDisposable> _subscriptions = [];

    public Leaderships(
        ExclusiveServices services,
        IEnumerable<ObservedLock> observed,
        ILockProvider locks,
        KnownHolders holders,
        LeaderQuestions questions,
        IOptions<CoordinationOptions> node,
        TimeProvider time)
    {
        _services = services;
        foreach (var name in observed.Select(static observed => observed.LockName).Where(name => services.FindLock(name) is null))
        {
            var leadership = new LockLeadership(name, locks.NodeId, questions, node.Value.LeaseDuration, time);
            _observed.Add(name, leadership);

            // This process may ask for the lock all the same, by hand.
            _subscriptions.Add(holders.Subscribe(name, holder => leadership.Saw(holder)));
        }
    }

    /// <returns>The one of a lock; null when this host has none.</returns>
    public ILeadership? OfLock(string lockName) => _services.FindLock(lockName)?.Leadership ?? (ILeadership?)_observed.GetValueOrDefault(lockName);

    /// <returns>The one of a lock, or else of a registration; null when this host has none.</returns>
    /// <exception cref="InvalidOperationException">Several services are registered under that name.</exception>
    public ILeadership? Find(object? key) => key is string name ? OfLock(name) ?? _services.FindKey(name)?.Leadership : null;

    public void Dispose()
    {
        _subscriptions.ForEach(static subscription => subscription.Dispose());
        foreach (var leadership in _observed.Values)
        {
            leadership.Dispose();
        }
    }
}
