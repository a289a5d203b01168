using System.Diagnostics.CodeAnalysis;
using System.Diagnostics.Metrics;
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
using Microsoft.Extensions.Hosting;
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
        return AddNode(new CoordinationBuilder(services, name: null), configure);
    }

    /// <summary>
    /// Registers one more node, with a store, locks and settings of its own, as where an application shares one server with others and has another for itself. Its
    /// services have the name as their key: <c>[FromKeyedServices("billing")] ILockProvider</c>, and so <see cref="ILockInspector"/>. Choose its store on what is
    /// returned. Its settings come from the section <c>Coordination:{name}</c>, where there is an <see cref="IConfiguration"/>, then from
    /// <paramref name="configure"/>; they are checked when the host starts. May be called several times: later settings win, and there is one node of a name all the same.
    /// </summary>
    /// <param name="services">The services.</param>
    /// <param name="name">
    /// The name: 1 to 128 letters, digits, dots, dashes and underscores, and none that the section <c>Coordination</c> uses otherwise, such as <c>Redis</c>.
    /// </param>
    /// <param name="configure">Sets options in code; null for none.</param>
    /// <exception cref="ArgumentNullException"><paramref name="services"/> or <paramref name="name"/> is null.</exception>
    /// <exception cref="ArgumentException">The name is not one that a node may have.</exception>
    public static ICoordinationBuilder AddCoordination(this IServiceCollection services, string name, Action<CoordinationOptions>? configure = null)
    {
        ArgumentNullException.ThrowIfNull(services);
        return AddNode(new CoordinationBuilder(services, NodeSection.Validate(name)), configure);
    }

    /// <summary>
    /// Keeps the locks in this process's memory: for a single process, for development and for tests. Nothing is shared with other processes.
    /// </summary>
    /// <param name="builder">From <see cref="AddCoordination(IServiceCollection, Action{CoordinationOptions})"/>.</param>
    /// <param name="store">A store to share with other providers of this process, each of which is then a node; null for a new one.</param>
    /// <exception cref="ArgumentNullException"><paramref name="builder"/> is null.</exception>
    public static ICoordinationBuilder UseInMemory(this ICoordinationBuilder builder, InMemoryLockStore? store = null)
    {
        ArgumentNullException.ThrowIfNull(builder);
        return builder.UseStore(node => store ?? new InMemoryLockStore(node.GetShared<TimeProvider>()));
    }

    private static CoordinationBuilder AddNode(CoordinationBuilder builder, Action<CoordinationOptions>? configure)
    {
        var services = builder.Services;

        services.AddCoordinationBinding<CoordinationOptions, CoordinationOptionsBinding>();
        services.AddCoordinationSettings<CoordinationOptions>(
            NodeSection.Of(builder.Name), provider => DurationsOf(provider.GetRequiredService<IOptionsMonitor<CoordinationOptions>>().Get(builder.Name), builder.Name));
        services.TryAddEnumerable(ServiceDescriptor.Singleton<IHostedService, SettingsAtStart>());
        AddToStopBudget(services, new NodeName(builder.Name));
        var options = services.AddOptions<CoordinationOptions>(builder.Name).ValidateOnStart();
        if (configure is not null)
        {
            options.Configure(configure);
        }

        services.TryAddEnumerable(ServiceDescriptor.Singleton<IValidateOptions<CoordinationOptions>, CoordinationOptionsValidator>());
        services.AddLogging().AddMetrics();
        services.TryAddSingleton(TimeProvider.System);
        services.TryAddSingleton<TelemetryDispatcher>();
        services.TryAddSingleton<UnknownSettings>();
        AddParts(builder);
        return builder;
    }

    private static void AddToStopBudget(IServiceCollection services, NodeName node)
    {
        services.TryAddEnumerable(ServiceDescriptor.Singleton<IHostedService, StopBudgetCheck>());
        if (!services.Any(service => service.ImplementationInstance is NodeName known && known == node))
        {
            services.AddSingleton(node);
        }
    }

    /// <remarks>
    /// By hand, and not by their constructors: a container that checks those when it is built, as in development, would say of each that no store is registered,
    /// before the settings are checked, which say what to do about it.
    /// </remarks>
    [SuppressMessage("Maintainability", "CA1506:Avoid excessive class coupling", Justification = "The one place where the parts of a node are put together.")]
    private static void AddParts(ICoordinationBuilder builder) => builder
        .TryAddSingleton(node => new Node(node.GetOptions<CoordinationOptions>()))
        .TryAddSingleton(node => new CoordinationMetrics(node.GetShared<IMeterFactory>(), node.GetShared<TelemetryDispatcher>(), node.Name))
        .TryAddSingleton(node => new LeaseTelemetry(
            node.GetShared<ILogger<ILockLease>>(), node.GetRequired<CoordinationMetrics>(), node.GetShared<TelemetryDispatcher>()))
        .TryAddSingleton(node => new StoreCondition(
            node.GetRequired<ILockStore>(), node.GetShared<TimeProvider>(), node.GetShared<TelemetryDispatcher>().Wrap(node.GetShared<ILogger<ILockStore>>())))
        .TryAddSingleton(node => StorePipelines.Create(node.GetShared<TimeProvider>(), node.Container.GetService<ResiliencePipelineProvider<string>>()))
        .TryAddSingleton(node => StoreAdministration.Of(node.GetRequired<ILockStore>()))
        .TryAddSingleton(node => new StoreGate(node.GetShared<TimeProvider>()))
        .TryAddSingleton(node => new StoreClient(
            node.GetRequired<ILockStore>(),
            node.GetRequired<ILockStoreAdministration>(),
            node.GetRequired<StorePipelines>(),
            node.GetRequired<StoreGate>(),
            node.GetRequired<StoreCondition>(),
            node.GetShared<TimeProvider>()))
        .TryAddSingleton(node => new BackgroundTasks(node.GetShared<TimeProvider>()))
        .TryAddSingleton(node => new Watchdog(node.GetRequired<StoreClient>(), node.GetRequired<LeaseTelemetry>(), node.GetShared<TimeProvider>()))
        .TryAddSingleton(node => new LeaseKeeper(
            node.GetRequired<Node>(),
            node.GetRequired<StoreClient>(),
            node.GetRequired<Watchdog>(),
            node.GetRequired<LeaseTelemetry>(),
            node.GetRequired<BackgroundTasks>(),
            node.GetShared<TimeProvider>()))
        .TryAddSingleton(node =>
        {
            var leases = node.GetRequired<LeaseKeeper>();
            var channel = new NodeChannel(
                node.GetRequired<Node>(),
                node.GetRequired<StoreClient>(),
                leases,
                node.GetShared<TelemetryDispatcher>(),
                node.GetShared<TimeProvider>(),
                node.GetShared<ILogger<ILockProvider>>());
            leases.PassedOn = channel.Take;
            return channel;
        })
        .TryAddSingleton(node => new KnownHolders(node.GetShared<TelemetryDispatcher>()))
        .TryAddSingleton(node => new WaitingRoom(
            node.GetRequired<Node>(),
            node.GetRequired<StoreClient>(),
            node.GetRequired<LeaseKeeper>(),
            node.GetRequired<NodeChannel>(),
            node.GetRequired<KnownHolders>(),
            node.GetRequired<CoordinationMetrics>(),
            node.GetRequired<BackgroundTasks>(),
            node.GetShared<TimeProvider>()))
        .TryAddSingleton(node => new AcquireTelemetry(node.GetRequired<CoordinationMetrics>(), node.GetShared<TelemetryDispatcher>(), node.GetShared<TimeProvider>()))
        .TryAddSingleton(node => new Acquirer(
            node.GetRequired<Node>(),
            node.GetRequired<LeaseKeeper>(),
            node.GetRequired<StoreClient>(),
            node.GetRequired<WaitingRoom>(),
            node.GetRequired<NodeChannel>(),
            node.GetRequired<KnownHolders>(),
            node.GetRequired<AcquireTelemetry>(),
            node.GetRequired<BackgroundTasks>(),
            node.GetShared<TimeProvider>()))
        .TryAddSingleton<ILockInspector>(node => new LockInspector(
            node.GetRequired<StoreClient>(),
            node.GetRequired<Node>(),
            node.GetRequired<CoordinationMetrics>(),
            node.GetShared<TelemetryDispatcher>(),
            node.GetShared<TimeProvider>(),
            node.GetShared<ILogger<ILockInspector>>()))
        .TryAddSingleton<ILockProvider>(node => new LockProvider(
            node.GetRequired<Node>(),
            node.GetRequired<Acquirer>(),
            new LockSets(node.GetRequired<Acquirer>(), node.GetRequired<AcquireTelemetry>(), node.GetShared<TimeProvider>()),
            node.GetRequired<WaitingRoom>(),
            node.GetRequired<NodeChannel>(),
            node.GetRequired<Watchdog>(),
            node.GetRequired<BackgroundTasks>(),
            node.GetShared<TelemetryDispatcher>()))
        .TryAddSingleton(node => new OccurrenceLocks(
            node.GetRequired<Acquirer>(), node.GetRequired<LeaseKeeper>(), node.GetRequired<Node>(), node.GetRequired<StoreClient>()));

    private static IEnumerable<KeyValuePair<string, TimeSpan>> DurationsOf(CoordinationOptions options, string? name)
    {
        var timings = LeaseTimings.Of(options);
        var node = string.IsNullOrEmpty(name) ? string.Empty : name + ':';
        return
        [
            new(node + nameof(options.LeaseDuration), timings.Duration),
            new(node + nameof(options.RenewalInterval), timings.RenewalInterval),
            new(node + nameof(options.SafetyMargin), timings.SafetyMargin),
            new(node + nameof(options.ClaimWindow), options.ClaimWindow),
            new(node + nameof(options.ReleaseTimeout), options.ReleaseTimeout),
            .. options.TerminationGracePeriod is { } grace ? [KeyValuePair.Create(node + nameof(options.TerminationGracePeriod), grace)] : Array.Empty<KeyValuePair<string, TimeSpan>>(),
        ];
    }
}
