using Coordination;
using Coordination.DependencyInjection;
using Coordination.Stores;
using Coordination.Telemetry;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Microsoft.Extensions.DependencyInjection;

/// <summary>Registers services of a node, whether it has a name or not. For authors of stores and integrations.</summary>
public static class NodeServicesBuilderExtensions
{
    /// <summary>Registers a service of the node, unless it has one of that type.</summary>
    /// <param name="builder">From <c>services.AddCoordination(…)</c>.</param>
    /// <param name="create">Makes the service, once. The container disposes it.</param>
    /// <returns>The builder.</returns>
    /// <exception cref="ArgumentNullException">An argument is null.</exception>
    public static ICoordinationBuilder TryAddSingleton<T>(this ICoordinationBuilder builder, Func<NodeServices, T> create)
        where T : class
    {
        ArgumentNullException.ThrowIfNull(builder);
        ArgumentNullException.ThrowIfNull(create);
        builder.Services.TryAdd(Describe(builder.Name, create));
        return builder;
    }

    /// <summary>Keeps the locks of the node in a store, in place of the one that was chosen before.</summary>
    /// <param name="builder">From <c>services.AddCoordination(…)</c>.</param>
    /// <param name="create">Makes the store, once. The container disposes it.</param>
    /// <returns>The builder.</returns>
    /// <exception cref="ArgumentNullException">An argument is null.</exception>
    public static ICoordinationBuilder UseStore(this ICoordinationBuilder builder, Func<NodeServices, ILockStore> create)
    {
        ArgumentNullException.ThrowIfNull(builder);
        ArgumentNullException.ThrowIfNull(create);
        builder.Services.Replace(Describe(builder.Name, create));
        return builder;
    }

    /// <summary>Keeps the locks of the node in a store, in place of the one that was chosen before.</summary>
    /// <param name="builder">From <c>services.AddCoordination(…)</c>.</param>
    /// <param name="store">The store. It may be that of several nodes, and no container disposes it.</param>
    /// <returns>The builder.</returns>
    /// <exception cref="ArgumentNullException">An argument is null.</exception>
    public static ICoordinationBuilder UseStore(this ICoordinationBuilder builder, ILockStore store)
    {
        ArgumentNullException.ThrowIfNull(builder);
        ArgumentNullException.ThrowIfNull(store);
        builder.Services.Replace(builder.Name is null ? ServiceDescriptor.Singleton(store) : ServiceDescriptor.KeyedSingleton(builder.Name, store));
        return builder;
    }

    /// <summary>
    /// Has the server of the node's store examined before the host counts as started, as <see cref="StoreExamination"/> says, which the node has from then on. May be called again, by this
    /// store or another: the server is examined once.
    /// </summary>
    /// <param name="builder">From <c>services.AddCoordination(…)</c>.</param>
    /// <returns>The builder.</returns>
    /// <exception cref="ArgumentNullException"><paramref name="builder"/> is null.</exception>
    public static ICoordinationBuilder ExamineStoreAtStart(this ICoordinationBuilder builder)
    {
        ArgumentNullException.ThrowIfNull(builder);
        var name = builder.Name;
        if (builder.Services.Any(service => service.ServiceType == typeof(ExaminationAtStart) && Equals(service.ServiceKey, name)))
        {
            return builder;
        }

        builder.TryAddSingleton(static _ => new StoreExamination());
        builder.TryAddSingleton(static node => new ExaminationAtStart(node, node.GetShared<TelemetryDispatcher>(), node.GetShared<ILogger<ExaminationAtStart>>()));
        builder.Services.AddSingleton<IHostedService>(services => new NodeServices(services, name).GetRequired<ExaminationAtStart>());
        return builder;
    }

    private static ServiceDescriptor Describe<T>(string? name, Func<NodeServices, T> create)
        where T : class =>
        name is null
            ? ServiceDescriptor.Singleton(services => create(new NodeServices(services, name: null)))
            : ServiceDescriptor.KeyedSingleton(name, (services, _) => create(new NodeServices(services, name)));
}
