using System.Diagnostics.CodeAnalysis;
using Coordination;
using Coordination.DependencyInjection;
using Coordination.Leases;
using Coordination.Locks;
using Coordination.Nodes;
using Coordination.Occurrences;
using Coordination.Resilience;
using Coordination.Stores;
using Coordination.Stores.InMemory;
using Coordination.Telemetry;
using Coordination.Time;
using Coordination.Waiting;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Polly.Registry;

namespace Microsoft.Extensions.DependencyInjection;

/// <summary>Registers locks.</summary>
public static class CoordinationServiceCollectionExtensions
{
    /// <summary>
    /// Registers <see cref="ILockProvider"/>, <see cref="ILockInspector"/> and what they need. Choose a store on what is returned. Settings come from the
    /// configuration section <c>Coordination</c>, where there is an <see cref="IConfiguration"/>, then from <paramref name="configure"/>; they are
    /// checked when the host starts. May be called several times: later settings win, and there is one node all the same.
    /// </summary>
    /// <param name="services">The services.</param>
    /// <param name="configure">Sets options in code; null for none.</param>
    /// <exception cref="ArgumentNullException"><paramref name="services"/> is null.</exception>
    public static ICoordinationBuilder AddCoordination(this IServiceCollection services, Action<CoordinationOptions>? configure = null)
    {
        ArgumentNullException.ThrowIfNull(services);

        // First, so that what is set in code wins over what is configured.
        services.TryAddEnumerable(ServiceDescriptor.Singleton<IConfigureOptions<CoordinationOptions>, CoordinationOptionsBinding>());
        var options = services.AddOptions<CoordinationOptions>().ValidateOnStart();
        if (configure is not null)
        {
            options.Configure(configure);
        }

        services.TryAddEnumerable(ServiceDescriptor.Singleton<IValidateOptions<CoordinationOptions>, CoordinationOptionsValidator>());
        services.AddLogging().AddMetrics();
        services.TryAddSingleton(TimeProvider.System);
        AddNode(services);
        return new CoordinationBuilder(services);
    }

    /// <summary>
    /// Keeps the locks in this process's memory: for a single process, for development and for tests. Nothing is shared with other processes.
    /// </summary>
    /// <param name="builder">From <see cref="AddCoordination"/>.</param>
    /// <param name="store">A store to share with other providers of this process, each of which is then a node; null for a new one.</param>
    /// <exception cref="ArgumentNullException"><paramref name="builder"/> is null.</exception>
    public static ICoordinationBuilder UseInMemory(this ICoordinationBuilder builder, InMemoryLockStore? store = null)
    {
        ArgumentNullException.ThrowIfNull(builder);
        builder.Services.Replace(ServiceDescriptor.Singleton<ILockStore>(services => store ?? new InMemoryLockStore(services.GetRequiredService<TimeProvider>())));
        return builder;
    }

    [SuppressMessage("Maintainability", "CA1506:Avoid excessive class coupling", Justification = "The one place where the parts of a node are put together.")]
    private static void AddNode(IServiceCollection services)
    {
        services.TryAddSingleton(sp => new Node(Options(sp)));
        services.TryAddSingleton<TelemetryDispatcher>();
        services.TryAddSingleton<CoordinationMetrics>();
        services.TryAddSingleton<LeaseTelemetry>();
        services.TryAddSingleton(sp => new StoreCondition(sp.GetRequiredService<ILockStore>(), sp.GetRequiredService<TimeProvider>(), sp.GetRequiredService<TelemetryDispatcher>().Wrap(sp.GetRequiredService<ILogger<ILockStore>>())));
        services.TryAddSingleton(sp => StorePipelines.Create(sp.GetRequiredService<TimeProvider>(), sp.GetService<ResiliencePipelineProvider<string>>()));
        services.TryAddSingleton(sp => StoreAdministration.Of(sp.GetRequiredService<ILockStore>()));
        services.TryAddSingleton<StoreGate>();
        services.TryAddSingleton<StoreClient>();
        services.TryAddSingleton<BackgroundTasks>();
        services.TryAddSingleton<Watchdog>();
        services.TryAddSingleton<LeaseKeeper>();
        services.TryAddSingleton<NodeChannel>();
        services.TryAddSingleton<WaitingRoom>();
        services.TryAddSingleton<Acquirer>();
        services.TryAddSingleton<ILockInspector, LockInspector>();
        services.TryAddSingleton<ILockProvider, LockProvider>();
        services.TryAddSingleton(sp => new OccurrenceLocks(
            sp.GetRequiredService<Acquirer>(), sp.GetRequiredService<LeaseKeeper>(), sp.GetRequiredService<Node>(), sp.GetRequiredService<StoreClient>()));
    }

    private static CoordinationOptions Options(IServiceProvider services) => services.GetRequiredService<IOptions<CoordinationOptions>>().Value;
}
