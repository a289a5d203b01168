using Coordination;
using Coordination.Hosting.DependencyInjection;
using Coordination.Hosting.Leadership;

namespace Microsoft.Extensions.DependencyInjection;

/// <summary>Registers leaderships to ask for.</summary>
public static class LeadershipServiceCollectionExtensions
{
    /// <summary>
    /// Adds an <see cref="ILeadership"/> for a lock that this process does not contend for, as where a web front end shows or asks who does the work:
    /// <c>[FromKeyedServices("lock name")] ILeadership</c>, and one of <c>IEnumerable&lt;ILeadership&gt;</c>. May be called several times for one lock; where the
    /// host has a service with that lock, it is the service's.
    /// </summary>
    /// <remarks>
    /// Needs <c>services.AddCoordination(…)</c> with a store, in any order. Nothing is asked that nobody wants to know: the store is asked when somebody asks, and
    /// while somebody watches.
    /// </remarks>
    /// <param name="services">The services of the host.</param>
    /// <param name="lockName">The name of the lock: that of the service on the nodes that do the work.</param>
    /// <param name="nodeName">The name of the node that has the lock, of <c>services.AddCoordination("billing")</c>. Null, the default, for the one that has no name.</param>
    /// <exception cref="ArgumentNullException"><paramref name="services"/> or <paramref name="lockName"/> is null.</exception>
    /// <exception cref="ArgumentException">The name is not one that a lock may have.</exception>
    public static IServiceCollection AddLeadership(this IServiceCollection services, string lockName, string? nodeName = null)
    {
        ArgumentNullException.ThrowIfNull(services);
        LockName.Validate(lockName);
        var observed = new ObservedLock(lockName, nodeName);
        if (!services.Any(service => service.ImplementationInstance is ObservedLock known && known == observed))
        {
            ServiceParts.AddLeaderships(services);
            services.AddSingleton(observed);
            services.AddSingleton(provider => provider.GetRequiredService<Leaderships>().OfLock(observed)!);
        }

        return services;
    }
}
