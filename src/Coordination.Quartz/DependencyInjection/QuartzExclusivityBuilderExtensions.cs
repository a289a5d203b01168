using Coordination;
using Coordination.Quartz.Execution;
using Coordination.Quartz.Policies;
using Coordination.Quartz.Telemetry;
using Coordination.Stores;
using Coordination.Telemetry;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Quartz;
using Quartz.Extensibility;
using Quartz.Impl;

namespace Microsoft.Extensions.DependencyInjection;

/// <summary>Registers exclusive Quartz jobs.</summary>
public static class QuartzExclusivityBuilderExtensions
{
    /// <summary>
    /// Makes the jobs with <see cref="DisallowConcurrentAcrossClusterAttribute"/> exclusive, and limits those with <see cref="LimitConcurrencyAcrossClusterAttribute"/>, of every Quartz scheduler of the container, whether it is
    /// registered before this call or after it. Settings come from the configuration section <c>Coordination:Quartz</c>, then from <paramref name="configure"/>.
    /// May be called several times; later settings win.
    /// </summary>
    /// <param name="builder">From <c>services.AddCoordination(…)</c>.</param>
    /// <param name="configure">Sets options in code; null for none.</param>
    /// <exception cref="ArgumentNullException"><paramref name="builder"/> is null.</exception>
    /// <exception cref="InvalidOperationException">The node has a name: jobs are exclusive by the locks of the node that has none.</exception>
    public static ICoordinationBuilder AddQuartzExclusivity(this ICoordinationBuilder builder, Action<QuartzExclusivityOptions>? configure = null)
    {
        ArgumentNullException.ThrowIfNull(builder);
        if (builder.Name is { } node)
        {
            throw new InvalidOperationException(
                $"AddQuartzExclusivity() is called on the node '{node}', and jobs are exclusive by the locks of the node without a name: call it on services.AddCoordination(), with a store of its own.");
        }

        AddOptions(builder.Services);
        if (configure is not null)
        {
            builder.Services.ConfigureAll(configure);
        }

        builder.Services.ConfigureAllQuartzSchedulers(static scheduler => AddTo(scheduler));
        return builder;
    }

    /// <summary>
    /// Makes the jobs with <see cref="DisallowConcurrentAcrossClusterAttribute"/> exclusive, and limits those with <see cref="LimitConcurrencyAcrossClusterAttribute"/>, of this scheduler only. Its container needs
    /// <c>AddCoordination(…)</c> with a store; the container of a scheduler that is built without one, by <see cref="QuartzSchedulerBuilder"/>, is
    /// <see cref="IQuartzBuilder.Services"/>.
    /// </summary>
    /// <param name="scheduler">The scheduler that is being configured.</param>
    /// <param name="configure">Sets options in code; null for none.</param>
    /// <exception cref="ArgumentNullException"><paramref name="scheduler"/> is null.</exception>
    public static IQuartzBuilder AddQuartzExclusivity(this IQuartzBuilder scheduler, Action<QuartzExclusivityOptions>? configure = null)
    {
        ArgumentNullException.ThrowIfNull(scheduler);
        var registered = AddTo(scheduler);
        if (registered.IsOfApplication)
        {
            AddOptions(scheduler.Services);
        }

        if (configure is not null)
        {
            if (registered.IsOfApplication)
            {
                scheduler.Services.Configure(scheduler.SchedulerName, configure);
            }
            else
            {
                registered.Configure.Add(configure);
            }
        }

        return scheduler;
    }

    /// <summary>Once for each scheduler, however often it is asked for: two leases around one run would wait for each other.</summary>
    private static ExclusiveScheduler AddTo(IQuartzBuilder scheduler)
    {
        var (services, name) = (scheduler.Services, scheduler.SchedulerName);
        if (services.Select(service => service.ImplementationInstance).OfType<ExclusiveScheduler>().FirstOrDefault(added => added.Name == name) is { } before)
        {
            return before;
        }

        // Quartz hands the container of a scheduler that it builds later the application's own repository.
        var registered = new ExclusiveScheduler(name, !services.Any(service => service.ServiceType == typeof(ISchedulerRepository) && service.ImplementationInstance is not null), []);
        services.AddSingleton(registered);
        services.AddKeyedSingleton(name, (_, _) => new SchedulerExclusivity(registered));
        if (registered.IsOfApplication)
        {
            services.AddOptions<QuartzExclusivityOptions>(name).ValidateOnStart();
        }

        scheduler.AddSchedulerListener(provider => Of(provider).Shutdown);
        scheduler.AddSchedulerListener(provider => Of(provider).AbandonedFiresOf(provider));
        scheduler.AddSchedulerListener(provider => Of(provider).CheckOf(provider));
        scheduler.AddSchedulerListener(provider => Of(provider).KeysOf(provider));
        scheduler.AddTriggerListener(provider => Of(provider).GateOf(provider));
        scheduler.AddJobListener(provider => Of(provider).ListenerOf(provider));
        scheduler.AddJobMiddleware(provider => Of(provider).MiddlewareOf(provider));
        LetWaitsLeaveTheirPlaces(scheduler);
        return registered;

        SchedulerExclusivity Of(IServiceProvider provider) => provider.GetRequiredKeyedService<SchedulerExclusivity>(name);
    }

    /// <summary>Puts a pool in the place of Quartz's default one, where nothing else is chosen; a pool of the user's stays.</summary>
    private static void LetWaitsLeaveTheirPlaces(IQuartzBuilder scheduler)
    {
        var (services, name) = (scheduler.Services, scheduler.SchedulerName);
        var isKeyed = name.Length > 0;
        var chosen = services.LastOrDefault(service => service.ServiceType == typeof(IThreadPool) && Equals(service.ServiceKey, isKeyed ? name : null));
        if (chosen is { IsKeyedService: true, KeyedImplementationType: not null } or { IsKeyedService: false, ImplementationType: not null })
        {
            return;
        }

        if (chosen is not null)
        {
            services.Remove(chosen);
        }

        if (isKeyed)
        {
            services.AddKeyedSingleton<IThreadPool>(name, (provider, key) => Take(provider, chosen?.KeyedImplementationFactory?.Invoke(provider, key) ?? chosen?.KeyedImplementationInstance));
        }
        else
        {
            services.AddSingleton<IThreadPool>(provider => Take(provider, chosen?.ImplementationFactory?.Invoke(provider) ?? chosen?.ImplementationInstance));
        }

        IThreadPool Take(IServiceProvider provider, object? pool) => provider.GetRequiredKeyedService<SchedulerExclusivity>(name).Take(pool switch
        {
            null => new RunPlaces(provider.GetRequiredService<IOptionsMonitor<ThreadPoolOptions>>().Get(name).MaxConcurrency),
            DefaultThreadPool ofQuartz => new RunPlaces(ofQuartz.MaxConcurrency),
            _ => (IThreadPool)pool,
        });
    }

    private static void AddOptions(IServiceCollection services)
    {
        services.AddCoordinationBinding<QuartzExclusivityOptions, QuartzExclusivityOptionsBinding>();
        services.AddCoordinationSettings<QuartzExclusivityOptions>(QuartzExclusivityOptions.SectionName, DurationsInEffect);
        services.AddCoordinationSettings<ExclusiveJobOptions>(QuartzExclusivityOptionsBinding.Defaults);
        services.TryAddEnumerable(ServiceDescriptor.Singleton<IValidateOptions<QuartzExclusivityOptions>, QuartzExclusivityOptionsValidator>());
        services.TryAddSingleton<FireMetrics>();
        services.TryAddSingleton(static provider => new JobOutage(
            provider.GetRequiredService<ILockStore>(),
            provider.GetRequiredService<StoreCondition>(),
            provider.GetRequiredService<TelemetryDispatcher>().Wrap(provider.GetRequiredService<ILogger<JobOutage>>())));
        services.TryAddSingleton(static provider => new CapacityConflicts(provider.GetRequiredService<TelemetryDispatcher>().Wrap(provider.GetRequiredService<ILogger<CapacityConflicts>>())));
        services.TryAddSingleton<ExclusiveRuns>();
        services.TryAddSingleton<RunsAtEnd>();
        services.TryAddEnumerable(ServiceDescriptor.Singleton<IHostedService, JobsAtStop>());
        services.AddCoordinationStopTime("jobs that are interrupted at last", RunsAtEnd.LastRespite);
    }

    /// <summary>Those that no job has changed, of each scheduler.</summary>
    private static IEnumerable<KeyValuePair<string, TimeSpan>> DurationsInEffect(IServiceProvider provider)
    {
        var schedulers = provider.GetServices<ExclusiveScheduler>().Select(scheduler => scheduler.Name).Distinct(StringComparer.Ordinal).ToList();
        foreach (var name in schedulers)
        {
            var options = provider.GetRequiredService<IOptionsMonitor<QuartzExclusivityOptions>>().Get(name);
            var prefix = name.Length == 0 ? "Quartz:" : $"Quartz ({name}):";
            yield return new(prefix + nameof(options.FireTimeRetention), options.FireTimeRetention);
            if ((options.Defaults.MaxWait ?? (options.Defaults.OnConflict == JobConflictAction.Wait ? WaitRule.DefaultMaxWait : null)) is { } wait)
            {
                yield return new($"{prefix}{nameof(options.Defaults)}:{nameof(options.Defaults.MaxWait)}", wait);
            }

            if (options.Defaults.LeaseDuration is { } lease)
            {
                yield return new($"{prefix}{nameof(options.Defaults)}:{nameof(options.Defaults.LeaseDuration)}", lease);
            }

            if (options.Defaults.LockAtLeastFor is { } least)
            {
                yield return new($"{prefix}{nameof(options.Defaults)}:{nameof(options.Defaults.LockAtLeastFor)}", least);
            }

            if (options.Defaults.MaxRunTime is { } longest)
            {
                yield return new($"{prefix}{nameof(options.Defaults)}:{nameof(options.Defaults.MaxRunTime)}", longest);
            }
        }
    }
}
