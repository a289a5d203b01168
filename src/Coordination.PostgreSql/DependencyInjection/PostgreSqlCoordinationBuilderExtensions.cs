using Coordination;
using Coordination.DependencyInjection;
using Coordination.PostgreSql.Connections;
using Coordination.PostgreSql.DependencyInjection;
using Coordination.PostgreSql.Stores;
using Coordination.Stores;
using Coordination.Telemetry;
using Microsoft.Extensions.DependencyInjection.Extensions;
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
    /// <exception cref="ArgumentNullException"><paramref name="builder"/> or <paramref name="connectionString"/> is null.</exception>
    /// <exception cref="ArgumentException"><paramref name="connectionString"/> is empty. What else is wrong with it, or with an option, is an <see cref="OptionsValidationException"/> when the store is made: by the start of the host, or by whoever asks for a lock before.</exception>
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
    /// <remarks>
    /// <para>Two of its connections stay open for each node: one for renewals, and one for notifications. Mind its <c>Maximum Pool Size</c>: three at least, and what the application uses beside.</para>
    /// <para>
    /// The store waits for its connections and replies no longer than its own limits say. What hangs ends by the data source's <c>Timeout</c>, and has a connection of the pool and a
    /// thread for so long.
    /// </para>
    /// <para>
    /// When the store is made, which the start of the host does, or whoever asks for a lock before, a data source that does not do is refused by an <see cref="InvalidOperationException"/>:
    /// one with multiplexing, which leaves no connection to a transaction; one whose pool is smaller than three (two with <see cref="PostgreSqlNotifications.Poll"/>); and one for several hosts that <see cref="NpgsqlMultiHostDataSource.WithTargetSession"/> made, which may lead to a
    /// standby. An option that is out of its range is an <see cref="OptionsValidationException"/> then.
    /// </para>
    /// </remarks>
    /// <param name="builder">From <c>AddCoordination</c>.</param>
    /// <param name="dataSource">The data source. For several hosts the <see cref="NpgsqlMultiHostDataSource"/> itself: its primary is asked.</param>
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
    /// <param name="dataSource">Finds it. Called once, when the store is made. Where it returns null, that fails with an <see cref="InvalidOperationException"/>.</param>
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
    /// <remarks>
    /// <para>May be called several times, in each of its forms. What is set in code wins over the configuration, and a later call over an earlier one.</para>
    /// <para>
    /// When the store is made, which the start of the host does, or whoever asks for a lock before, it fails with an <see cref="InvalidOperationException"/> where no database is named and
    /// no data source is registered, where the one that is registered has multiplexing or was made by <see cref="NpgsqlMultiHostDataSource.WithTargetSession"/>, and where the
    /// <see cref="TimeProvider"/> is not the system's; and with an <see cref="OptionsValidationException"/> where an option is out of its range, or the connection string cannot be read or
    /// names no server.
    /// </para>
    /// </remarks>
    /// <param name="builder">From <c>AddCoordination</c>.</param>
    /// <param name="configure">Changes the options further; applied after the configuration section <c>Coordination:PostgreSql</c>.</param>
    /// <returns>The builder.</returns>
    /// <exception cref="ArgumentNullException"><paramref name="builder"/> is null.</exception>
    public static ICoordinationBuilder UsePostgreSql(this ICoordinationBuilder builder, Action<PostgreSqlStoreOptions>? configure = null)
    {
        ArgumentNullException.ThrowIfNull(builder);
        var services = builder.Services;

        services.AddCoordinationBinding<PostgreSqlStoreOptions, PostgreSqlStoreOptionsBinding>();
        services.AddCoordinationSettings<PostgreSqlStoreOptions>(NodeSection.Of(builder.Name, PostgreSqlStoreOptions.Section), provider => DurationsInEffect(provider, builder.Name));
        services.AddOptions<PostgreSqlStoreOptions>(builder.Name).Configure(options => configure?.Invoke(options));
        // Checked when the store is made, which the start does where this is the store that counts.
        services.TryAddEnumerable(ServiceDescriptor.Singleton<IValidateOptions<PostgreSqlStoreOptions>, PostgreSqlStoreOptionsValidator>());
        builder.TryAddSingleton(FindDatabase);
        builder.TryAddSingleton(CreateStore);
        builder.UseStore(static node => node.GetRequired<PostgreSqlLockStore>());
        return builder.ExamineStoreAtStart();
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
        var commandTimeout = options.CommandTimeoutFor(node.GetOptions<CoordinationOptions>());
        if (options.ConnectionString is { } connectionString)
        {
            return LockDatabase.Make(connectionString, options, commandTimeout);
        }

        var found = options.Find is { } find
            ? find(node.Container) ?? throw new InvalidOperationException("The factory that UsePostgreSql was given returned null. Have it return the data source.")
            : node.Get<NpgsqlDataSource>() ?? node.Container.GetService<NpgsqlDataSource>();
        if (found is not null)
        {
            return LockDatabase.Share(found, options, commandTimeout);
        }

        throw new InvalidOperationException(string.Join(
            ' ',
            [
                $"UsePostgreSql() found no database. Set {NodeSection.Of(node.Name, PostgreSqlStoreOptions.Section)}:ConnectionString, pass a connection string to UsePostgreSql, or register an NpgsqlDataSource.",
                .. node.Container.FindUnknownCoordinationSettings(),
            ]));
    }

    private static PostgreSqlLockStore CreateStore(NodeServices node)
    {
        RealTime.Demand(node.GetShared<TimeProvider>(), "PostgreSQL", nameof(UsePostgreSql));
        var options = node.GetOptions<PostgreSqlStoreOptions>();
        var logger = node.GetShared<TelemetryDispatcher>().Wrap(node.GetShared<ILogger<PostgreSqlLockStore>>());
        var coordination = node.GetOptions<CoordinationOptions>();
        var limits = new TransactionLimits(options.CommandTimeoutFor(coordination), PostgreSqlStoreOptions.RenewalInterval(coordination) / coordination.LeaseDuration);
        var store = new PostgreSqlLockStore(node.GetRequired<LockDatabase>(), options, limits, logger);
        node.GetRequired<StoreExamination>().Examine = store.EnsureFitAsync;
        return store;
    }
}
