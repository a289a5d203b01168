using System.Diagnostics.CodeAnalysis;
using System.Reflection;
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

    /// <summary>The name of the lock where the options have none: that of the attribute, else one of the application's own.</summary>
    /// <exception cref="ArgumentException">The application has no name.</exception>
    public string GetDefaultLockName(string? application) =>
        serviceType.GetCustomAttribute<ExclusiveLockAttribute>()?.Name

        // Type.ToString and not FullName, which puts assembly versions into the arguments of a generic type: two
        // versions of an application that run side by side must agree on the name.
        ?? LockName.Compose(application ?? throw Unnamed(), serviceType.ToString());

    public abstract ExclusiveBackgroundService CreateService(IServiceProvider services);

    public abstract ServiceLeadership CreateLeadership(string lockName, string nodeId, ILockStoreAdministration store, TimeProvider time);

    private static ArgumentException Unnamed() => new(
        $"The service has no LockName, and the application no name that its lock could begin with. Set {CoordinationOptions.SectionName}:{nameof(CoordinationOptions.ApplicationName)}, or give the service a LockName.");
}

internal sealed class ExclusiveServiceRegistration<[DynamicallyAccessedMembers(DynamicallyAccessedMemberTypes.PublicConstructors)] TService>(string name)
    : ExclusiveServiceRegistration(name, typeof(TService))
    where TService : ExclusiveBackgroundService
{
    public override ExclusiveBackgroundService CreateService(IServiceProvider services) => ActivatorUtilities.CreateInstance<TService>(services);

    public override ServiceLeadership CreateLeadership(string lockName, string nodeId, ILockStoreAdministration store, TimeProvider time) =>
        new ServiceLeadership<TService>(lockName, nodeId, store, time);
}
