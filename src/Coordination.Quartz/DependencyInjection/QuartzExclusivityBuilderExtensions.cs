using Coordination;
using Coordination.Occurrences;
using Coordination.Quartz.Execution;
using Coordination.Quartz.Names;
using Coordination.Quartz.Policies;
using Coordination.Quartz.Telemetry;
using Coordination.Telemetry;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Quartz;

namespace Microsoft.Extensions.DependencyInjection;

/// <summary>Registers exclusive Quartz jobs.</summary>
public static class QuartzExclusivityBuilderExtensions
{
    /// <summary>
    /// Makes the jobs with <see cref="DisallowConcurrentAcrossClusterAttribute"/> exclusive, of every Quartz scheduler of the container, whether it is
    /// registered before this call or after it. Settings come from the configuration section <c>Coordination:Quartz</c>, then from <paramref name="configure"/>.
    /// May be called several times; later settings win.
    /// </summary>
    /// <param name="builder">From <c>services.AddCoordination(…)</c>.</param>
    /// <param name="configure">Sets options in code; null for none.</param>
    /// <exception cref="ArgumentNullException"><paramref name="builder"/> is null.</exception>
    public static ICoordinationBuilder AddQuartzExclusivity(this ICoordinationBuilder builder, Action<QuartzExclusivityOptions>? configure = null)
    {
        ArgumentNullException.ThrowIfNull(builder);
        AddOptions(builder.Services);
        if (configure is not null)
        {
            builder.Services.ConfigureAll(configure);
        }

        builder.Services.ConfigureAllQuartzSchedulers(AddTo);
        return builder;
    }

    /// <summary>
    /// Makes the jobs with <see cref="DisallowConcurrentAcrossClusterAttribute"/> exclusive, of this scheduler only. Its container needs
    /// <c>AddCoordination(…)</c> with a store; the container of a scheduler that is built without one, by <see cref="QuartzSchedulerBuilder"/>, is
    /// <see cref="IQuartzBuilder.Services"/>.
    /// </summary>
    /// <param name="scheduler">The scheduler that is being configured.</param>
    /// <param name="configure">Sets options in code; null for none.</param>
    /// <exception cref="ArgumentNullException"><paramref name="scheduler"/> is null.</exception>
    public static IQuartzBuilder AddQuartzExclusivity(this IQuartzBuilder scheduler, Action<QuartzExclusivityOptions>? configure = null)
    {
        ArgumentNullException.ThrowIfNull(scheduler);
        AddOptions(scheduler.Services);
        if (configure is not null)
        {
            scheduler.Services.Configure(scheduler.SchedulerName, configure);
        }

        AddTo(scheduler);
        return scheduler;
    }

    /// <summary>Once for each scheduler, however often it is asked for: two leases around one run would wait for each other.</summary>
    private static void AddTo(IQuartzBuilder scheduler)
    {
        var (services, name) = (scheduler.Services, scheduler.SchedulerName);
        if (services.Any(service => service.ImplementationInstance is ExclusiveScheduler added && added.Name == name))
        {
            return;
        }

        services.AddSingleton(new ExclusiveScheduler(name));
        services.AddOptions<QuartzExclusivityOptions>(name).ValidateOnStart();
        services.AddKeyedSingleton(name, (provider, _) => new ExclusivePolicies(provider.GetRequiredService<IOptionsMonitor<QuartzExclusivityOptions>>().Get(name)));
        services.AddKeyedSingleton(name, (provider, _) => new SchedulerNames(provider.GetRequiredService<IOptions<CoordinationOptions>>().Value.ApplicationName, () => new RegisteredContent(QuartzRecord.Find(provider, name))));
        services.AddKeyedSingleton(name, (provider, _) => new FireTimes(provider.GetRequiredService<ILockProvider>().NodeId, provider.GetRequiredKeyedService<SchedulerNames>(name)));
        services.AddKeyedSingleton(name, (provider, _) => new ScheduleCheck(
            provider.GetRequiredKeyedService<ExclusivePolicies>(name),
            provider.GetRequiredKeyedService<SchedulerNames>(name),
            provider.GetRequiredService<TelemetryDispatcher>().Wrap(provider.GetRequiredService<ILogger<ScheduleCheck>>())));
        services.AddKeyedSingleton(name, (_, _) => new SchedulerShutdown());
        scheduler.AddSchedulerListener(provider => provider.GetRequiredKeyedService<SchedulerShutdown>(name));
        scheduler.AddJobListener(provider => new ExclusivityListener(
            provider.GetRequiredKeyedService<FireTimes>(name),
            provider.GetRequiredService<FireMetrics>(),
            provider.GetRequiredService<TelemetryDispatcher>().Wrap(provider.GetRequiredService<ILogger<ExclusivityListener>>())));
        scheduler.AddJobMiddleware(provider => new ExclusivityMiddleware(
            provider.GetRequiredService<OccurrenceLocks>(),
            provider.GetRequiredKeyedService<ExclusivePolicies>(name),
            provider.GetRequiredKeyedService<FireTimes>(name),
            provider.GetRequiredService<ExclusiveRuns>(),
            provider.GetRequiredKeyedService<SchedulerShutdown>(name),
            provider.GetRequiredService<TelemetryDispatcher>().Wrap(provider.GetRequiredService<ILogger<ExclusivityMiddleware>>())));
    }

    private static void AddOptions(IServiceCollection services)
    {
        // First, so that what is set in code wins over what is configured.
        services.TryAddEnumerable(ServiceDescriptor.Singleton<IConfigureOptions<QuartzExclusivityOptions>, QuartzExclusivityOptionsBinding>());
        services.AddCoordinationSettings<QuartzExclusivityOptions>(QuartzExclusivityOptions.SectionName, DurationsInEffect);
        services.AddCoordinationSettings<ExclusiveJobOptions>(QuartzExclusivityOptionsBinding.Defaults);
        services.TryAddEnumerable(ServiceDescriptor.Singleton<IValidateOptions<QuartzExclusivityOptions>, QuartzExclusivityOptionsValidator>());
        services.TryAddSingleton<FireMetrics>();
        services.TryAddSingleton<ExclusiveRuns>();
        services.TryAddEnumerable(ServiceDescriptor.Singleton<IHostedService, JobsAtStop>());
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
            yield return new($"{prefix}{nameof(options.Defaults)}:{nameof(options.Defaults.MaxWait)}", options.Defaults.MaxWait ?? ExclusivePolicies.DefaultMaxWait);
            if (options.Defaults.LeaseDuration is { } lease)
            {
                yield return new($"{prefix}{nameof(options.Defaults)}:{nameof(options.Defaults.LeaseDuration)}", lease);
            }

            if (options.Defaults.LockAtLeastFor is { } least)
            {
                yield return new($"{prefix}{nameof(options.Defaults)}:{nameof(options.Defaults.LockAtLeastFor)}", least);
            }
        }
    }
}
