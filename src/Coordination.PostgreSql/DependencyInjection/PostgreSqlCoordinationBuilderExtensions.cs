using Coordination;
using Coordination.DependencyInjection;
using Coordination.PostgreSql.Connections;
using Coordination.PostgreSql.DependencyInjection;
using Coordination.PostgreSql.Stores;
using Coordination.Stores;
using Coordination.Telemetry;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Npgsql;

namespace Microsoft.Extensions.DependencyInjection;

/// <summary>Chooses PostgreSQL as the store: <c>services.AddCoordination(…).UsePostgreSql(…)</c>.</summary>
public static class PostgreSqlCoordinationBuilderExtensions
{
    /// <summary>Keeps the locks in a database to which the store makes connections of its own, on first use.</summary>
    /// <param name="builder">From <c>AddCoordination</c>.</param>
    /// <param name="connectionString">
    /// In the form of Npgsql: <c>Host=…;Username=…;Password=…;Database=…</c>. The size of the pool, timeouts, multiplexing, enlistment and preparation are set by the store, because leases
    /// depend on them.
    /// </param>
    /// <param name="configure">Changes the options further; applied after the configuration section <c>Coordination:PostgreSql</c>.</param>
    /// <returns>The builder.</returns>
    /// <exception cref="ArgumentException"><paramref name="connectionString"/> is null or empty.</exception>
    public static ICoordinationBuilder UsePostgreSql(this ICoordinationBuilder builder, string connectionString, Action<PostgreSqlStoreOptions>? configure = null)
    {
        ArgumentNullException.ThrowIfNull(builder);
        ArgumentException.ThrowIfNullOrEmpty(connectionString);
        return builder.UsePostgreSql(options =>
        {
            options.ConnectTo(connectionString);
            configure?.Invoke(options);
        });
    }

    /// <summary>Keeps the locks in the database of a data source of the application's, which the store shares and never disposes.</summary>
    /// <remarks>Two of its connections stay open for each node: one for renewals, and one for notifications. Mind its <c>MaxPoolSize</c>: three at least, and what the application uses beside.</remarks>
    /// <param name="builder">From <c>AddCoordination</c>.</param>
    /// <param name="dataSource">The data source. One with multiplexing is refused when the store is made, and so is one whose pool is too small.</param>
    /// <param name="configure">Changes the options further; applied after the configuration section <c>Coordination:PostgreSql</c>.</param>
    /// <returns>The builder.</returns>
    /// <exception cref="ArgumentNullException"><paramref name="builder"/> or <paramref name="dataSource"/> is null.</exception>
    public static ICoordinationBuilder UsePostgreSql(this ICoordinationBuilder builder, NpgsqlDataSource dataSource, Action<PostgreSqlStoreOptions>? configure = null)
    {
        ArgumentNullException.ThrowIfNull(dataSource);
        return builder.UsePostgreSql(_ => dataSource, configure);
    }

    /// <summary>As <see cref="UsePostgreSql(ICoordinationBuilder, NpgsqlDataSource, Action{PostgreSqlStoreOptions})"/>, for a data source that is registered, such as one under a key.</summary>
    /// <param name="builder">From <c>AddCoordination</c>.</param>
    /// <param name="dataSource">Finds it. Called once, when the store is made.</param>
    /// <param name="configure">Changes the options further; applied after the configuration section <c>Coordination:PostgreSql</c>.</param>
    /// <returns>The builder.</returns>
    /// <exception cref="ArgumentNullException"><paramref name="builder"/> or <paramref name="dataSource"/> is null.</exception>
    public static ICoordinationBuilder UsePostgreSql(this ICoordinationBuilder builder, Func<IServiceProvider, NpgsqlDataSource> dataSource, Action<PostgreSqlStoreOptions>? configure = null)
    {
        ArgumentNullException.ThrowIfNull(builder);
        ArgumentNullException.ThrowIfNull(dataSource);
        return builder.UsePostgreSql(options =>
        {
            options.ConnectTo(dataSource);
            configure?.Invoke(options);
        });
    }

    /// <summary>
    /// Keeps the locks in the database that an earlier call named; else in that which <c>Coordination:PostgreSql:ConnectionString</c> names; and when that is not set, in that of the
    /// <see cref="NpgsqlDataSource"/> that is registered (for a node with a name, under that name as its key, or without one), which is shared and never disposed by the store.
    /// </summary>
    /// <remarks>May be called several times, in each of its forms. What is set in code wins over the configuration, and a later call over an earlier one.</remarks>
    /// <param name="builder">From <c>AddCoordination</c>.</param>
    /// <param name="configure">Changes the options further; applied after the configuration section <c>Coordination:PostgreSql</c>.</param>
    /// <returns>The builder.</returns>
    public static ICoordinationBuilder UsePostgreSql(this ICoordinationBuilder builder, Action<PostgreSqlStoreOptions>? configure = null)
    {
        ArgumentNullException.ThrowIfNull(builder);
        var services = builder.Services;

        services.AddCoordinationBinding<PostgreSqlStoreOptions, PostgreSqlStoreOptionsBinding>();
        services.AddCoordinationSettings<PostgreSqlStoreOptions>(NodeSection.Of(builder.Name, PostgreSqlStoreOptions.Section), provider => DurationsInEffect(provider, builder.Name));
        services.AddOptions<PostgreSqlStoreOptions>(builder.Name).Configure(options => configure?.Invoke(options));
        // Checked when the store is made, which the start does where this is the store that counts.
        services.TryAddEnumerable(ServiceDescriptor.Singleton<IValidateOptions<PostgreSqlStoreOptions>, PostgreSqlStoreOptionsValidator>());
        builder.TryAddSingleton(_ => new StoreInUse());
        builder.TryAddSingleton(FindDatabase);
        builder.TryAddSingleton(CreateStore);
        builder.UseStore(static node => node.GetRequired<PostgreSqlLockStore>());
        AddCheck(builder);
        return builder;
    }

    private static IEnumerable<KeyValuePair<string, TimeSpan>> DurationsInEffect(IServiceProvider provider, string? name)
    {
        var store = string.IsNullOrEmpty(name) ? provider.GetService<ILockStore>() : provider.GetKeyedService<ILockStore>(name);
        if (store is PostgreSqlLockStore)
        {
            var options = provider.GetRequiredService<IOptionsMonitor<PostgreSqlStoreOptions>>().Get(name);
            var section = NodeSection.Of(name, PostgreSqlStoreOptions.Section)[(CoordinationOptions.SectionName.Length + 1)..];
            yield return new($"{section}:{nameof(options.CommandTimeout)}", options.CommandTimeoutFor(provider.GetRequiredService<IOptionsMonitor<CoordinationOptions>>().Get(name)));
            if (options.Notifications == PostgreSqlNotifications.Poll)
            {
                yield return new($"{section}:{nameof(options.PollInterval)}", options.PollInterval);
            }
        }
    }

    private static LockDatabase FindDatabase(NodeServices node)
    {
        var options = node.GetOptions<PostgreSqlStoreOptions>();
        if (options.ConnectionString is { } connectionString)
        {
            return LockDatabase.Make(connectionString, options, options.CommandTimeoutFor(node.GetOptions<CoordinationOptions>()));
        }

        var found = options.Find is { } find
            ? find(node.Container) ?? throw new InvalidOperationException("The factory that UsePostgreSql was given returned null. Have it return the data source.")
            : node.Get<NpgsqlDataSource>() ?? node.Container.GetService<NpgsqlDataSource>();
        return LockDatabase.Share(found ?? throw new InvalidOperationException(string.Join(
            ' ',
            [
                $"UsePostgreSql() found no database. Set {NodeSection.Of(node.Name, PostgreSqlStoreOptions.Section)}:ConnectionString, pass a connection string to UsePostgreSql, or register an NpgsqlDataSource.",
                .. node.Container.FindUnknownCoordinationSettings(),
            ])), options);
    }

    private static PostgreSqlLockStore CreateStore(NodeServices node)
    {
        RealTime.Demand(node.GetShared<TimeProvider>(), "PostgreSQL", nameof(UsePostgreSql));
        var options = node.GetOptions<PostgreSqlStoreOptions>();
        var logger = node.GetShared<TelemetryDispatcher>().Wrap(node.GetShared<ILogger<PostgreSqlLockStore>>());
        var coordination = node.GetOptions<CoordinationOptions>();
        var limits = new TransactionLimits(options.CommandTimeoutFor(coordination), PostgreSqlStoreOptions.RenewalInterval(coordination) / coordination.LeaseDuration);
        var store = new PostgreSqlLockStore(node.GetRequired<LockDatabase>(), options, limits, logger);
        node.GetRequired<StoreInUse>().Store = store;
        return store;
    }

    /// <summary>Once for each node.</summary>
    private static void AddCheck(ICoordinationBuilder builder)
    {
        if (builder.Name is not { } name)
        {
            builder.Services.TryAddEnumerable(ServiceDescriptor.Singleton<IHostedService, CheckAtStart>());
            return;
        }

        if (builder.Services.Any(service => service.ServiceType == typeof(CheckAtStart) && Equals(service.ServiceKey, name)))
        {
            return;
        }

        builder.TryAddSingleton(node => new CheckAtStart(
            new ServicesOfNode(node), node.GetRequired<StoreInUse>(), node.GetShared<TelemetryDispatcher>(), node.GetShared<ILogger<PostgreSqlLockStore>>()));
        builder.Services.AddSingleton<IHostedService>(services => services.GetRequiredKeyedService<CheckAtStart>(name));
    }

    /// <summary>The container as it looks to one node: the store is that one's.</summary>
    private sealed class ServicesOfNode(NodeServices node) : IServiceProvider
    {
        public object? GetService(Type serviceType) => serviceType == typeof(ILockStore) ? node.Get<ILockStore>() : node.Container.GetService(serviceType);
    }
}
