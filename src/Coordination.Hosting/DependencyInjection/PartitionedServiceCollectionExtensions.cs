using System.Diagnostics.CodeAnalysis;
using System.Diagnostics.Metrics;
using System.Runtime.CompilerServices;
using Coordination;
using Coordination.Hosting.DependencyInjection;
using Coordination.Hosting.Partitions;
using Coordination.Hosting.Runners;
using Coordination.Hosting.Services;
using Coordination.Hosting.Telemetry;
using Coordination.Telemetry;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Options;

namespace Microsoft.Extensions.DependencyInjection;

/// <summary>Registers background services whose partitions the nodes share.</summary>
/// <remarks>
/// <para>All of them need <c>services.AddCoordination(…)</c> with a store that keeps semaphores and can be inspected, in any order. The host fails to start, with an <see cref="OptionsValidationException"/>,
/// when a setting is out of its range or two registrations have the same lock name. The node takes part when the host has started.</para>
/// <para>One object does all the work of a registration. It is what the factory returns; without a factory it is the container's singleton of the type.</para>
/// <para>Settings come from the section <c>Coordination:Services:{name}</c> of the configuration, of the name of the registration or, where it has none, of the type
/// (without its namespace), then from code, where the last call wins: what is passed, and <c>services.Configure&lt;PartitionedServiceOptions&gt;</c>, which counts for all such services.</para>
/// </remarks>
public static class PartitionedServiceCollectionExtensions
{
    /// <summary>Adds a background service whose partitions the nodes share, and <see cref="IPartitionedLeadership{TService}"/> to ask who leads which.</summary>
    /// <typeparam name="TService">The service.</typeparam>
    /// <param name="services">The services of the host.</param>
    /// <param name="configure">Sets the options of this registration.</param>
    /// <exception cref="ArgumentNullException"><paramref name="services"/> is null.</exception>
    /// <exception cref="InvalidOperationException">The type is registered already. To register it several times, give each registration a name.</exception>
    /// <example>
    /// <code>
    /// services.AddPartitionedBackgroundService&lt;TenantImport&gt;(o =&gt; o.Partitions = 64);
    /// </code>
    /// </example>
    public static IServiceCollection AddPartitionedBackgroundService<
        [DynamicallyAccessedMembers(DynamicallyAccessedMemberTypes.PublicConstructors)] TService>(
        this IServiceCollection services,
        Action<PartitionedServiceOptions>? configure = null)
        where TService : PartitionedBackgroundService
    {
        ArgumentNullException.ThrowIfNull(services);
        var key = new ServiceKey(typeof(TService), Name: null);
        AddOptions(services, key, configure);
        return Add(services, key, ServiceInstance<TService>.OfContainer<TService>(services, key: null));
    }

    /// <inheritdoc cref="AddPartitionedBackgroundService{TService}(IServiceCollection, Action{PartitionedServiceOptions}?)"/>
    /// <param name="services">The services of the host.</param>
    /// <param name="factory">Makes the service, once, when the host starts. It may return a singleton of the container.</param>
    /// <param name="configure">Sets the options of this registration.</param>
    /// <exception cref="ArgumentNullException"><paramref name="services"/> or <paramref name="factory"/> is null.</exception>
    [OverloadResolutionPriority(1)]
    public static IServiceCollection AddPartitionedBackgroundService<TService>(
        this IServiceCollection services,
        Func<IServiceProvider, TService> factory,
        Action<PartitionedServiceOptions>? configure = null)
        where TService : PartitionedBackgroundService
    {
        ArgumentNullException.ThrowIfNull(services);
        ArgumentNullException.ThrowIfNull(factory);
        var key = new ServiceKey(typeof(TService), Name: null);
        AddOptions(services, key, configure);
        return Add(services, key, ServiceInstance<TService>.From(services, factory));
    }

    /// <summary>
    /// Adds such a service under a name, for a type that is registered several times. Each registration has locks, options and an object of its own; the name is the key of its services:
    /// <c>[FromKeyedServices("north")] IPartitionedLeadership</c>.
    /// </summary>
    /// <typeparam name="TService">The service.</typeparam>
    /// <param name="services">The services of the host.</param>
    /// <param name="name">The name of the registration: not empty, and with no colon.</param>
    /// <param name="configure">Sets the options of this registration.</param>
    /// <exception cref="ArgumentNullException"><paramref name="services"/> or <paramref name="name"/> is null.</exception>
    /// <exception cref="ArgumentException">The name is empty, or has a colon.</exception>
    /// <exception cref="InvalidOperationException">The type is registered under that name already.</exception>
    public static IServiceCollection AddPartitionedBackgroundService<
        [DynamicallyAccessedMembers(DynamicallyAccessedMemberTypes.PublicConstructors)] TService>(
        this IServiceCollection services,
        string name,
        Action<PartitionedServiceOptions>? configure = null)
        where TService : PartitionedBackgroundService
    {
        ArgumentNullException.ThrowIfNull(services);
        var key = new ServiceKey(typeof(TService), ServiceKey.ValidateName(name));
        AddOptions(services, key, configure);
        return Add(services, key, ServiceInstance<TService>.OfContainer<TService>(services, name));
    }

    /// <inheritdoc cref="AddPartitionedBackgroundService{TService}(IServiceCollection, string, Action{PartitionedServiceOptions}?)"/>
    /// <param name="services">The services of the host.</param>
    /// <param name="name">The name of the registration: not empty, and with no colon.</param>
    /// <param name="factory">Makes the service from the container and the name, once, when the host starts.</param>
    /// <param name="configure">Sets the options of this registration.</param>
    /// <exception cref="ArgumentNullException"><paramref name="services"/>, <paramref name="name"/> or <paramref name="factory"/> is null.</exception>
    public static IServiceCollection AddPartitionedBackgroundService<TService>(
        this IServiceCollection services,
        string name,
        Func<IServiceProvider, string, TService> factory,
        Action<PartitionedServiceOptions>? configure = null)
        where TService : PartitionedBackgroundService
    {
        ArgumentNullException.ThrowIfNull(services);
        ArgumentNullException.ThrowIfNull(factory);
        var key = new ServiceKey(typeof(TService), ServiceKey.ValidateName(name));
        AddOptions(services, key, configure);
        return Add(services, key, ServiceInstance<TService>.From(services, provider => factory(provider, name)));
    }

    private static void AddOptions(IServiceCollection services, ServiceKey key, Action<PartitionedServiceOptions>? configure)
    {
        var options = ServiceParts.AddKey<PartitionedServiceOptions, PartitionedServiceOptionsBinding>(services, key);
        services.TryAddEnumerable(ServiceDescriptor.Singleton<IValidateOptions<PartitionedServiceOptions>, PartitionedServiceOptionsValidator>());
        if (configure is not null)
        {
            options.Configure(configure);
        }
    }

    private static IServiceCollection Add<TService>(IServiceCollection services, ServiceKey key, ServiceInstance<TService> instance)
        where TService : PartitionedBackgroundService
    {
        RunnerServices.Add(services);
        services.TryAddSingleton<PartitionedServices>();
        services.TryAddSingleton(static provider => new PartitionMetrics(
            provider.GetRequiredService<IMeterFactory>(), provider.GetRequiredService<TelemetryDispatcher>(), provider.GetServices<PartitionedService>()));

        // Services of the container, so that the container disposes them: the runner, which waits for the work, before the work.
        services.AddKeyedSingleton(key, (provider, _) => CreateService(provider, key, instance));
        services.AddSingleton(provider => provider.GetRequiredKeyedService<PartitionedService>(key));
        services.AddKeyedSingleton(key, (provider, _) => new PartitionedLeadership<TService>(provider.GetRequiredKeyedService<PartitionedService>(key)));
        services.AddKeyedSingleton(key, (provider, _) => new PartitionedRunner(provider, provider.GetRequiredKeyedService<PartitionedService>(key)));
        services.AddSingleton<IHostedService>(provider =>
        {
            provider.GetRequiredService<PartitionMetrics>();
            return provider.GetRequiredKeyedService<PartitionedRunner>(key).Runner;
        });
        services.AddSingleton<IPartitionedLeadership>(provider => provider.GetRequiredKeyedService<PartitionedLeadership<TService>>(key));
        if (key.Name is { } name)
        {
            services.AddKeyedSingleton<IPartitionedLeadership<TService>>(name, (provider, _) => provider.GetRequiredKeyedService<PartitionedLeadership<TService>>(key));
            services.AddKeyedSingleton<IPartitionedLeadership>(name, (provider, _) => provider.GetRequiredKeyedService<PartitionedLeadership<TService>>(key));
        }
        else
        {
            services.AddSingleton<IPartitionedLeadership<TService>>(provider => provider.GetRequiredKeyedService<PartitionedLeadership<TService>>(key));
        }

        return services;
    }

    private static PartitionedService CreateService<TService>(IServiceProvider services, ServiceKey key, ServiceInstance<TService> instance)
        where TService : PartitionedBackgroundService
    {
        var options = services.GetRequiredService<IOptionsMonitor<PartitionedServiceOptions>>().Get(key.OptionsName);
        var node = WorkNode.Find<PartitionedServiceOptions>(services, options.Node, key.OptionsName);
        var settings = node.GetOptions<CoordinationOptions>();
        var locks = node.GetRequired<ILockProvider>();
        PartitionLockNames names;
        try
        {
            // What a lock may not be called, or how it may not be held, is said at the start.
            names = new PartitionLockNames(options.LockName ?? ServiceLockName.Find(key, settings.ApplicationName)).Validate();
            locks.GetLock(names.Of("0"), PartitionedService.LockOptionsOf(options));
            locks.GetSemaphore(names.Members, LockCapacity.MaxPermits);
        }
        catch (Exception exception) when (exception is ArgumentException or NotSupportedException)
        {
            throw new OptionsValidationException(key.OptionsName, typeof(PartitionedServiceOptions), [$"{key.OptionsName}: {exception.Message}"]);
        }

        var work = instance.Get(services);
        if (options.Partitions is null && !work.NamesPartitions)
        {
            throw new OptionsValidationException(
                key.OptionsName,
                typeof(PartitionedServiceOptions),
                [$"{key.OptionsName}: Partitions is not set, and {work.GetType()} does not override GetPartitionsAsync. Set Partitions to how many there are, such as 64, or override GetPartitionsAsync to name them."]);
        }

        services.GetRequiredService<PartitionedServices>().Add(key, node.Name, names.Service);
        return new PartitionedService(key, node, names, options, LeaseTimings.Of(settings, options.LockOptions), work);
    }
}
