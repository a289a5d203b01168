using System.Diagnostics.CodeAnalysis;
using Coordination;
using Coordination.Hosting.Execution;
using Coordination.Hosting.Leadership;
using Coordination.Hosting.Runners;
using Coordination.Hosting.Services;
using Coordination.Hosting.Telemetry;
using Coordination.Hosting.Terms;
using Coordination.Telemetry;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Microsoft.Extensions.DependencyInjection;

/// <summary>Registers exclusive background services.</summary>
public static class ExclusiveServiceCollectionExtensions
{
    /// <summary>
    /// Adds a background service of which one node at a time does the work, and <see cref="ILeadership{TService}"/> to ask who that is.
    /// May be called several times for one type, with a <see cref="ExclusiveServiceOptions.LockName"/> each, as for one per tenant or partition.
    /// </summary>
    /// <remarks>
    /// Needs <c>services.AddCoordination(…)</c> with a store, in any order. The host fails to start, with an <see cref="OptionsValidationException"/>,
    /// when a setting is out of its range or two registrations have the same lock name, and with the exception itself when the constructor of
    /// <typeparamref name="TService"/> throws. The node contends when the host has started.
    /// </remarks>
    /// <typeparam name="TService">The service. It is made once per registration and disposed with the host.</typeparam>
    /// <param name="services">The services of the host.</param>
    /// <param name="configure">Sets the options of this registration.</param>
    /// <exception cref="ArgumentNullException"><paramref name="services"/> is null.</exception>
    public static IServiceCollection AddExclusiveBackgroundService<
        [DynamicallyAccessedMembers(DynamicallyAccessedMemberTypes.PublicConstructors)] TService>(
        this IServiceCollection services,
        Action<ExclusiveServiceOptions>? configure = null)
        where TService : ExclusiveBackgroundService
    {
        ArgumentNullException.ThrowIfNull(services);

        var earlier = services.Count(static descriptor => descriptor.ServiceType == typeof(ExclusiveServiceRegistration) && descriptor.ImplementationInstance is ExclusiveServiceRegistration<TService>);
        var registration = new ExclusiveServiceRegistration<TService>(earlier == 0 ? typeof(TService).ToString() : $"{typeof(TService)} ({earlier + 1})");

        services.TryAddEnumerable(ServiceDescriptor.Singleton<IValidateOptions<ExclusiveServiceOptions>, ExclusiveServiceOptionsValidator>());
        var options = services.AddOptions<ExclusiveServiceOptions>(registration.Name).ValidateOnStart();
        if (configure is not null)
        {
            options.Configure(configure);
        }

        services.AddSingleton<ExclusiveServiceRegistration>(registration);
        services.TryAddSingleton<ExclusiveServices>();
        services.TryAddSingleton<LeaderQuestions>();
        RunnerServices.Add(services);
        services.TryAddSingleton<ILeadership<TService>>(static provider => provider.GetRequiredService<ExclusiveServices>().GetLeadership<TService>());

        // Null for a name that no service has: then the container says that there is none, which GetKeyedService takes and GetRequiredKeyedService does not.
        services.TryAddKeyedSingleton<ILeadership>(KeyedService.AnyKey, static (provider, name) => provider.GetRequiredService<ExclusiveServices>().GetLeadership(name)!);

        // A service of the container, so that the container disposes it.
        services.AddKeyedSingleton<ExclusiveBackgroundService>(registration, (provider, _) => registration.CreateService(provider));
        services.AddSingleton<IHostedService>(provider => CreateRunner(provider, registration));
        return services;
    }

    /// <summary>All that the work stands on is made before the runner, and so is disposed after it.</summary>
    private static ExclusiveServiceRunner CreateRunner(IServiceProvider provider, ExclusiveServiceRegistration registration)
    {
        var service = provider.GetRequiredService<ExclusiveServices>().Get(registration);
        var time = provider.GetRequiredService<TimeProvider>();
        var lifetime = provider.GetService<IHostApplicationLifetime>();
        var log = new ServiceLog(
            provider.GetRequiredService<TelemetryDispatcher>().Wrap(provider.GetRequiredService<ILogger<ExclusiveBackgroundService>>()),
            registration.ServiceType.Name,
            service.Lock.Name);
        var work = new TermWork(service, provider.GetRequiredKeyedService<ExclusiveBackgroundService>(registration), time);
        var watch = new OverdueWatch(service.Overdue, lifetime, provider.GetRequiredService<ProcessEnd>(), time, log);
        var leased = new LeasedWork(provider.GetRequiredService<IServiceScopeFactory>(), watch, log);
        var observer = new LeaderObserver(service.Leadership, provider.GetRequiredService<LeaderQuestions>(), service.LeaseDuration, time, log);
        var failures = new FailureLimit(service.Failures, service.Options.StopHostAfterFailures, lifetime, log);
        var loop = new TermLoop(service, work, leased, observer, failures, time, log);
        return new ExclusiveServiceRunner(loop, provider.GetRequiredService<ExclusiveServiceRunners>(), lifetime, time);
    }
}
