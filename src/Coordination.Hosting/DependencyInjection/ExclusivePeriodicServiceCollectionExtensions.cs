using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;
using Coordination;
using Coordination.Hosting.DependencyInjection;
using Coordination.Hosting.Periodic;
using Coordination.Hosting.Runners;
using Coordination.Hosting.Services;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Options;

namespace Microsoft.Extensions.DependencyInjection;

/// <summary>Registers periodic services.</summary>
/// <remarks>
/// <para>All of them need <c>services.AddCoordination(…)</c> with a store, in any order. The host fails to start, with an <see cref="OptionsValidationException"/>,
/// when a setting is out of its range.</para>
/// <para>One object does all the runs of a registration. It is what the factory returns; without a factory it is the container's singleton of the type, so
/// that one which the application registers is the object that runs, and else one that the container makes when the host starts, and disposes.</para>
/// <para>Settings come from the section <c>Coordination:Services:{name}</c> of the configuration, of the name of the registration or, where it has none, of the type
/// (without its namespace), then from code, where the last call wins: what is passed, and <c>services.Configure&lt;ExclusivePeriodicOptions&gt;</c>, which counts for all services.
/// <see cref="ExclusivePeriodicOptions.Interval"/> has to be set somewhere.</para>
/// </remarks>
public static class ExclusivePeriodicServiceCollectionExtensions
{
    /// <summary>
    /// Adds work that is run once in each interval by one node of the cluster, and <see cref="IPeriodicTrigger{TService}"/> to run it out of turn.
    /// </summary>
    /// <typeparam name="TService">The service.</typeparam>
    /// <param name="services">The services of the host.</param>
    /// <param name="configure">Sets the options of this registration.</param>
    /// <exception cref="ArgumentNullException"><paramref name="services"/> is null.</exception>
    /// <exception cref="InvalidOperationException">The type is registered already. To register it several times, give each registration a name.</exception>
    public static IServiceCollection AddExclusivePeriodicService<
        [DynamicallyAccessedMembers(DynamicallyAccessedMemberTypes.PublicConstructors)] TService>(
        this IServiceCollection services,
        Action<ExclusivePeriodicOptions>? configure = null)
        where TService : ExclusivePeriodicService
    {
        ArgumentNullException.ThrowIfNull(services);
        var key = new ServiceKey(typeof(TService), Name: null);
        AddOptions(services, key, configure);
        return Add(services, key, ServiceInstance<TService>.OfContainer<TService>(services, key: null));
    }

    /// <inheritdoc cref="AddExclusivePeriodicService{TService}(IServiceCollection, Action{ExclusivePeriodicOptions}?)"/>
    /// <param name="services">The services of the host.</param>
    /// <param name="factory">Makes the service, once, when the host starts. It may return a singleton of the container.</param>
    /// <param name="configure">Sets the options of this registration.</param>
    /// <exception cref="ArgumentNullException"><paramref name="services"/> or <paramref name="factory"/> is null.</exception>
    [OverloadResolutionPriority(1)]
    public static IServiceCollection AddExclusivePeriodicService<TService>(
        this IServiceCollection services,
        Func<IServiceProvider, TService> factory,
        Action<ExclusivePeriodicOptions>? configure = null)
        where TService : ExclusivePeriodicService
    {
        ArgumentNullException.ThrowIfNull(services);
        ArgumentNullException.ThrowIfNull(factory);
        var key = new ServiceKey(typeof(TService), Name: null);
        AddOptions(services, key, configure);
        return Add(services, key, ServiceInstance<TService>.From(services, factory));
    }

    /// <summary>
    /// Adds work under a name, for a type that is registered several times. Each registration has a lock, a schedule, options and an object of its own; the name is
    /// the key of its services: <c>[FromKeyedServices("north")] IPeriodicTrigger&lt;TService&gt;</c>.
    /// </summary>
    /// <remarks>
    /// The object is the container's keyed singleton of the type, so that it gets its name with <c>[ServiceKey] string name</c>. Without
    /// <see cref="ExclusivePeriodicOptions.LockName"/> the lock is <c>{application}/{type}/{name}</c>, or <c>{lock}/{name}</c> of <see cref="ExclusiveLockAttribute"/>.
    /// </remarks>
    /// <typeparam name="TService">The service.</typeparam>
    /// <param name="services">The services of the host.</param>
    /// <param name="name">The name of the registration: not empty, and with no colon.</param>
    /// <param name="configure">Sets the options of this registration.</param>
    /// <exception cref="ArgumentNullException"><paramref name="services"/> or <paramref name="name"/> is null.</exception>
    /// <exception cref="ArgumentException">The name is empty, or has a colon.</exception>
    /// <exception cref="InvalidOperationException">The type is registered under that name already.</exception>
    public static IServiceCollection AddExclusivePeriodicService<
        [DynamicallyAccessedMembers(DynamicallyAccessedMemberTypes.PublicConstructors)] TService>(
        this IServiceCollection services,
        string name,
        Action<ExclusivePeriodicOptions>? configure = null)
        where TService : ExclusivePeriodicService
    {
        ArgumentNullException.ThrowIfNull(services);
        var key = new ServiceKey(typeof(TService), ServiceKey.ValidateName(name));
        AddOptions(services, key, configure);
        return Add(services, key, ServiceInstance<TService>.OfContainer<TService>(services, name));
    }

    /// <inheritdoc cref="AddExclusivePeriodicService{TService}(IServiceCollection, string, Action{ExclusivePeriodicOptions}?)"/>
    /// <param name="services">The services of the host.</param>
    /// <param name="name">The name of the registration: not empty, and with no colon.</param>
    /// <param name="factory">Makes the service from the container and the name, once, when the host starts.</param>
    /// <param name="configure">Sets the options of this registration.</param>
    /// <exception cref="ArgumentNullException"><paramref name="services"/>, <paramref name="name"/> or <paramref name="factory"/> is null.</exception>
    public static IServiceCollection AddExclusivePeriodicService<TService>(
        this IServiceCollection services,
        string name,
        Func<IServiceProvider, string, TService> factory,
        Action<ExclusivePeriodicOptions>? configure = null)
        where TService : ExclusivePeriodicService
    {
        ArgumentNullException.ThrowIfNull(services);
        ArgumentNullException.ThrowIfNull(factory);
        var key = new ServiceKey(typeof(TService), ServiceKey.ValidateName(name));
        AddOptions(services, key, configure);
        return Add(services, key, ServiceInstance<TService>.From(services, provider => factory(provider, name)));
    }

    private static void AddOptions(IServiceCollection services, ServiceKey key, Action<ExclusivePeriodicOptions>? configure)
    {
        var options = ServiceParts.AddKey<ExclusivePeriodicOptions, ExclusivePeriodicOptionsBinding>(services, key);
        services.TryAddEnumerable(ServiceDescriptor.Singleton<IValidateOptions<ExclusivePeriodicOptions>, ExclusivePeriodicOptionsValidator>());
        if (configure is not null)
        {
            options.Configure(configure);
        }
    }

    private static IServiceCollection Add<TService>(IServiceCollection services, ServiceKey key, ServiceInstance<TService> instance)
        where TService : ExclusivePeriodicService
    {
        RunnerServices.Add(services);

        // Services of the container, so that the container disposes them: the runner, which waits for the work, before the work.
        services.AddKeyedSingleton(key, (provider, _) => CreateService(provider, key, instance));
        services.AddSingleton(provider => provider.GetRequiredKeyedService<PeriodicService>(key));
        services.AddKeyedSingleton(key, (provider, _) => new PeriodicRunner(provider, provider.GetRequiredKeyedService<PeriodicService>(key)));
        services.AddSingleton<IHostedService>(provider => provider.GetRequiredKeyedService<PeriodicRunner>(key).Runner);
        if (key.Name is { } name)
        {
            services.AddKeyedSingleton<IPeriodicTrigger<TService>>(name, (provider, _) => provider.GetRequiredKeyedService<PeriodicRunner>(key).CreateTrigger<TService>());
        }
        else
        {
            services.AddSingleton<IPeriodicTrigger<TService>>(provider => provider.GetRequiredKeyedService<PeriodicRunner>(key).CreateTrigger<TService>());
        }

        return services;
    }

    private static PeriodicService CreateService<TService>(IServiceProvider services, ServiceKey key, ServiceInstance<TService> instance)
        where TService : ExclusivePeriodicService
    {
        var options = services.GetRequiredService<IOptionsMonitor<ExclusivePeriodicOptions>>().Get(key.OptionsName);
        var node = WorkNode.Find<ExclusivePeriodicOptions>(services, options.Node, key.OptionsName);
        var settings = node.GetOptions<CoordinationOptions>();
        string lockName;
        try
        {
            // What a lock may not be called, or how it may not be held, is said at the start.
            lockName = node.GetRequired<ILockProvider>().GetLock(options.LockName ?? ServiceLockName.Find(key, settings.ApplicationName), options.LockOptions).Name;
        }
        catch (ArgumentException exception)
        {
            throw Invalid(exception.Message);
        }

        if (services.GetService<ExclusiveServices>()?.FindLock(lockName, node.Name) is { } service)
        {
            throw Invalid($"{service.Registration.Name} has the same lock name '{lockName}', so that nothing would be run while that leads. Give each a LockName of its own.");
        }

        return new PeriodicService(
            key,
            node,
            lockName,
            options,
            LeaseTimings.Of(settings, options.LockOptions),
            instance.Get(services),
            services.GetRequiredService<TimeProvider>());

        OptionsValidationException Invalid(string failure) => new(key.OptionsName, typeof(ExclusivePeriodicOptions), [$"{key.OptionsName}: {failure}"]);
    }
}
