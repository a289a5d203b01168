using System.Diagnostics.CodeAnalysis;
using Coordination.Hosting.Leadership;
using Coordination.Stores;
using Microsoft.Extensions.DependencyInjection;

namespace Coordination.Hosting.Services;

/// <summary>One call of <c>AddExclusiveBackgroundService</c>.</summary>
/// <param name="name">Tells this registration from the others of the host: in errors, and as the name of its options.</param>
/// <param name="serviceType">What was registered.</param>
internal abstract class ExclusiveServiceRegistration(string name, Type serviceType)
{
    public string Name => name;

    public Type ServiceType => serviceType;

    public abstract ExclusiveBackgroundService CreateService(IServiceProvider services);

    public abstract ServiceLeadership CreateLeadership(string lockName, string nodeId, ILockStoreAdministration store, TimeProvider time);
}

internal sealed class ExclusiveServiceRegistration<[DynamicallyAccessedMembers(DynamicallyAccessedMemberTypes.PublicConstructors)] TService>(string name)
    : ExclusiveServiceRegistration(name, typeof(TService))
    where TService : ExclusiveBackgroundService
{
    public override ExclusiveBackgroundService CreateService(IServiceProvider services) => ActivatorUtilities.CreateInstance<TService>(services);

    public override ServiceLeadership CreateLeadership(string lockName, string nodeId, ILockStoreAdministration store, TimeProvider time) =>
        new ServiceLeadership<TService>(lockName, nodeId, store, time);
}
