using System.Diagnostics.CodeAnalysis;
using System.Diagnostics.Metrics;
using System.Runtime.CompilerServices;
using Coordination;
using Coordination.Hosting.DependencyInjection;
using Coordination.Hosting.Execution;
using Coordination.Hosting.Leadership;
using Coordination.Hosting.Runners;
using Coordination.Hosting.Services;
using Coordination.Hosting.Telemetry;
using Coordination.Hosting.Terms;
using Coordination.Telemetry;
using Coordination.Waiting;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Microsoft.Extensions.DependencyInjection;

/// <summary>Registers exclusive background services.</summary>
/// <remarks>
/// <para>All of them need <c>services.AddCoordination(…)</c> with a store, in any order. The host fails to start, with an <see cref="OptionsValidationException"/>,
/// when a setting is out of its range or two registrations have the same lock name, and with the exception itself when the constructor of the service throws. The
/// node contends when the host has started.</para>
/// <para>One object does all the work of a registration. It is what the factory returns; without a factory it is the container's singleton of the type, so
/// that one which the application registers is the object that runs, and else one that the container makes when the host starts, and disposes.</para>
/// <para>Settings come from the section <c>Coordination:Services:{name}</c> of the configuration, of the name of the registration or, where it has none, of the type
/// (without its namespace), then from code, where the last call wins: what is passed, and <c>services.Configure&lt;ExclusiveServiceOptions&gt;</c>, which counts for all services.</para>
/// </remarks>
public static class ExclusiveServiceCollectionExtensions
{
    /// <summary>Adds a background service of which one node at a time does the work (or <see cref="ExclusiveServiceOptions.Instances"/> nodes), and <see cref="ILeadership{TService}"/> to ask who that is.</summary>
    /// <typeparam name="TService">The service.</typeparam>
    /// <param name="services">The services of the host.</param>
    /// <param name="configure">Sets the options of this registration.</param>
    /// <exception cref="ArgumentNullException"><paramref name="services"/> is null.</exception>
    /// <exception cref="InvalidOperationException">The type is registered already. To register it several times, give each registration a name.</exception>
    public static IServiceCollection AddExclusiveBackgroundService<
        [DynamicallyAccessedMembers(DynamicallyAccessedMemberTypes.PublicConstructors)] TService>(
        this IServiceCollection services,
        Action<ExclusiveServiceOptions>? configure = null)
        where TService : ExclusiveBackgroundService
    {
        ArgumentNullException.ThrowIfNull(services);
        var key = new ServiceKey(typeof(TService), Name: null);
        AddOptions(services, key, configure);
        return Add(services, key, ServiceInstance<TService>.OfContainer<TService>(services, key: null));
    }

    /// <inheritdoc cref="AddExclusiveBackgroundService{TService}(IServiceCollection, Action{ExclusiveServiceOptions}?)"/>
    /// <param name="services">The services of the host.</param>
    /// <param name="factory">Makes the service, once, when the host starts. It may return a singleton of the container.</param>
    /// <param name="configure">Sets the options of this registration.</param>
    /// <exception cref="ArgumentNullException"><paramref name="services"/> or <paramref name="factory"/> is null.</exception>
    [OverloadResolutionPriority(1)]
    public static IServiceCollection AddExclusiveBackgroundService<TService>(
        this IServiceCollection services,
        Func<IServiceProvider, TService> factory,
        Action<ExclusiveServiceOptions>? configure = null)
        where TService : ExclusiveBackgroundService
    {
        ArgumentNullException.ThrowIfNull(services);
        ArgumentNullException.ThrowIfNull(factory);
        var key = new ServiceKey(typeof(TService), Name: null);
        AddOptions(services, key, configure);
        return Add(services, key, ServiceInstance<TService>.From(services, factory));
    }

    /// <summary>
    /// Adds a background service under a name, for a type that is registered several times, as for one per tenant or partition. Each registration has a lock, options,
    /// a leadership and an object of its own; the name is the key of its services: <c>[FromKeyedServices("north")] ILeadership</c>.
    /// </summary>
    /// <remarks>
    /// The object is the container's keyed singleton of the type, so that it gets its name with <c>[ServiceKey] string name</c> and its leadership with
    /// <c>[FromKeyedServices] ILeadership&lt;TService&gt; leadership</c>. Without <see cref="ExclusiveServiceOptions.LockName"/> the lock is
    /// <c>{application}/{type}/{name}</c>, or <c>{lock}/{name}</c> of <see cref="ExclusiveLockAttribute"/>.
    /// </remarks>
    /// <typeparam name="TService">The service.</typeparam>
    /// <param name="services">The services of the host.</param>
    /// <param name="name">The name of the registration: not empty, and with no colon.</param>
    /// <param name="configure">Sets the options of this registration.</param>
    /// <exception cref="ArgumentNullException"><paramref name="services"/> or <paramref name="name"/> is null.</exception>
    /// <exception cref="ArgumentException">The name is empty, or has a colon.</exception>
    /// <exception cref="InvalidOperationException">The type is registered under that name already.</exception>
    public static IServiceCollection AddExclusiveBackgroundService<
        [DynamicallyAccessedMembers(DynamicallyAccessedMemberTypes.PublicConstructors)] TService>(
        this IServiceCollection services,
        string name,
        Action<ExclusiveServiceOptions>? configure = null)
        where TService : ExclusiveBackgroundService
    {
        ArgumentNullException.ThrowIfNull(services);
        var key = new ServiceKey(typeof(TService), ServiceKey.ValidateName(name));
        AddOptions(services, key, configure);
        return Add(services, key, ServiceInstance<TService>.OfContainer<TService>(services, name));
    }

    /// <inheritdoc cref="AddExclusiveBackgroundService{TService}(IServiceCollection, string, Action{ExclusiveServiceOptions}?)"/>
    /// <param name="services">The services of the host.</param>
    /// <param name="name">The name of the registration: not empty, and with no colon.</param>
    /// <param name="factory">Makes the service from the container and the name, once, when the host starts.</param>
    /// <param name="configure">Sets the options of this registration.</param>
    /// <exception cref="ArgumentNullException"><paramref name="services"/>, <paramref name="name"/> or <paramref name="factory"/> is null.</exception>
    public static IServiceCollection AddExclusiveBackgroundService<TService>(
        this IServiceCollection services,
        string name,
        Func<IServiceProvider, string, TService> factory,
        Action<ExclusiveServiceOptions>? configure = null)
        where TService : ExclusiveBackgroundService
    {
        ArgumentNullException.ThrowIfNull(services);
        ArgumentNullException.ThrowIfNull(factory);
        var key = new ServiceKey(typeof(TService), ServiceKey.ValidateName(name));
        AddOptions(services, key, configure);
        return Add(services, key, ServiceInstance<TService>.From(services, provider => factory(provider, name)));
    }

    private static void AddOptions(IServiceCollection services, ServiceKey key, Action<ExclusiveServiceOptions>? configure)
    {
        var options = ServiceParts.AddKey<ExclusiveServiceOptions, ExclusiveServiceOptionsBinding>(services, key);
        services.TryAddEnumerable(ServiceDescriptor.Singleton<IValidateOptions<ExclusiveServiceOptions>, ExclusiveServiceOptionsValidator>());
        if (configure is not null)
        {
            options.Configure(configure);
        }
    }

    private static IServiceCollection Add<TService>(IServiceCollection services, ServiceKey key, ServiceInstance<TService> instance)
        where TService : ExclusiveBackgroundService
    {
        var registration = new ExclusiveServiceRegistration<TService>(key, instance);
        services.AddSingleton<ExclusiveServiceRegistration>(registration);
        ServiceParts.AddLeaderships(services);
        RunnerServices.Add(services);
        services.TryAddSingleton(static provider => new LeadershipMetrics(
            provider.GetRequiredService<IMeterFactory>(), provider.GetRequiredService<TelemetryDispatcher>(), provider.GetRequiredService<ExclusiveServices>()));
        services.TryAddSingleton(static provider => provider.GetRequiredService<ExclusiveServices>().GetLeadership<TService>(name: null));
        if (key.Name is { } name)
        {
            services.TryAddKeyedSingleton(name, static (provider, name) => provider.GetRequiredService<ExclusiveServices>().GetLeadership<TService>((string?)name));
        }

        services.AddSingleton<ILeadership>(provider => provider.GetRequiredService<ExclusiveServices>().Get(registration).Leadership);
        services.AddSingleton<IHostedService>(provider => CreateRunner(provider, registration));
        return services;
    }

    /// <summary>All that the work stands on is made before the runner, and so is disposed after it.</summary>
    private static ExclusiveServiceRunner CreateRunner(IServiceProvider provider, ExclusiveServiceRegistration registration)
    {
        var service = provider.GetRequiredService<ExclusiveServices>().Get(registration);
        var time = provider.GetRequiredService<TimeProvider>();
        var lifetime = provider.GetService<IHostApplicationLifetime>();
        provider.GetRequiredService<LeadershipMetrics>();
        var log = new ServiceLog(
            provider.GetRequiredService<TelemetryDispatcher>().Wrap(provider.GetRequiredService<ILogger<ExclusiveBackgroundService>>()),
            registration.Key.DisplayName,
            service.Lock.Name);
        var work = registration.GetService(provider);
        var process = provider.GetRequiredService<ProcessEnd>();
        var watch = new OverdueWatch(service.Overdue, lifetime, process, time, log);
        var leased = new LeasedWork(provider.GetRequiredService<IServiceScopeFactory>(), watch, log);
        var observer = new LeaderObserver(service.Leadership, service.Options.Instances, service.Node.GetRequired<KnownHolders>(), log);
        var abstention = new Abstention(service, time, log);
        var succession = new Succession(service, abstention, service.Node.GetRequired<ILockInspector>(), time, log);
        var failures = new FailureLimit(service.Failures, service.Options.StopHostAfterFailures, lifetime, process, log);
        var loop = new TermLoop(service, work, leased, observer, abstention, succession, failures, time, log);
        return new ExclusiveServiceRunner(loop, provider.GetRequiredService<ExclusiveServiceRunners>(), lifetime, time);
    }
}
