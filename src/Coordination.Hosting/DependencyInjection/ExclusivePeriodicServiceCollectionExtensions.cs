using System.Diagnostics.CodeAnalysis;
using Coordination;
using Coordination.Hosting.Periodic;
using Coordination.Hosting.Runners;
using Coordination.Hosting.Services;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Options;

namespace Microsoft.Extensions.DependencyInjection;

/// <summary>Registers periodic services.</summary>
public static class ExclusivePeriodicServiceCollectionExtensions
{
    /// <summary>
    /// Adds work that is run once in each interval by one node of the cluster, and <see cref="IPeriodicTrigger{TService}"/> to run it out of turn.
    /// </summary>
    /// <remarks>
    /// Needs <c>services.AddCoordination(…)</c> with a store, in any order. The host fails to start, with an <see cref="OptionsValidationException"/>,
    /// when a setting is out of its range.
    /// </remarks>
    /// <typeparam name="TService">The service. It is made once, and disposed with the host.</typeparam>
    /// <param name="services">The services of the host.</param>
    /// <param name="configure">Sets the options, at least <see cref="ExclusivePeriodicOptions.Interval"/>.</param>
    /// <exception cref="ArgumentNullException"><paramref name="services"/> or <paramref name="configure"/> is null.</exception>
    /// <exception cref="InvalidOperationException">The service is registered already.</exception>
    public static IServiceCollection AddExclusivePeriodicService<
        [DynamicallyAccessedMembers(DynamicallyAccessedMemberTypes.PublicConstructors)] TService>(
        this IServiceCollection services,
        Action<ExclusivePeriodicOptions> configure)
        where TService : ExclusivePeriodicService
    {
        ArgumentNullException.ThrowIfNull(services);
        ArgumentNullException.ThrowIfNull(configure);
        if (services.Any(static descriptor => descriptor.ServiceType == typeof(IPeriodicTrigger<TService>)))
        {
            throw new InvalidOperationException($"The periodic service {typeof(TService)} is registered already. Register each type once; derive another type from it for a second schedule.");
        }

        var name = typeof(TService).ToString();
        services.TryAddEnumerable(ServiceDescriptor.Singleton<IValidateOptions<ExclusivePeriodicOptions>, ExclusivePeriodicOptionsValidator>());
        services.AddOptions<ExclusivePeriodicOptions>(name).Configure(configure).ValidateOnStart();

        RunnerServices.Add(services);

        // Services of the container, so that the container disposes them: the runner, which waits for the work, before the work.
        services.AddKeyedSingleton<ExclusivePeriodicService>(name, static (provider, _) => ActivatorUtilities.CreateInstance<TService>(provider));
        services.AddKeyedSingleton(name, (provider, _) => CreateService<TService>(provider, name));
        services.AddSingleton(provider => provider.GetRequiredKeyedService<PeriodicService>(name));
        services.AddKeyedSingleton(name, (provider, _) => new PeriodicRunner(provider, provider.GetRequiredKeyedService<PeriodicService>(name)));
        services.AddSingleton<IHostedService>(provider => provider.GetRequiredKeyedService<PeriodicRunner>(name).Runner);
        services.AddSingleton<IPeriodicTrigger<TService>>(provider => provider.GetRequiredKeyedService<PeriodicRunner>(name).CreateTrigger<TService>());
        return services;
    }

    private static PeriodicService CreateService<TService>(IServiceProvider services, string name)
        where TService : ExclusivePeriodicService
    {
        var options = services.GetRequiredService<IOptionsMonitor<ExclusivePeriodicOptions>>().Get(name);
        var node = services.GetRequiredService<IOptions<CoordinationOptions>>().Value;
        string lockName;
        try
        {
            // What a lock may not be called, or how it may not be held, is said at the start.
            lockName = services.GetRequiredService<ILockProvider>().GetLock(options.LockName ?? ServiceLockName.Find(typeof(TService), node.ApplicationName), options.LockOptions).Name;
        }
        catch (ArgumentException exception)
        {
            throw Invalid(exception.Message);
        }

        if (services.GetService<ExclusiveServices>()?.All.FirstOrDefault(service => service.Lock.Name == lockName) is { } service)
        {
            throw Invalid($"{service.Registration.Name} has the same lock name '{lockName}', so that nothing would be run while that leads. Give each a LockName of its own.");
        }

        return new PeriodicService(
            typeof(TService),
            lockName,
            options,
            LeaseTimings.Of(node, options.LockOptions),
            services.GetRequiredKeyedService<ExclusivePeriodicService>(name),
            services.GetRequiredService<TimeProvider>());

        OptionsValidationException Invalid(string failure) => new(name, typeof(ExclusivePeriodicOptions), [$"{name}: {failure}"]);
    }
}
