using Coordination;
using Coordination.Redis.Connections;
using Coordination.Redis.DependencyInjection;
using Coordination.Redis.Probing;
using Coordination.Redis.Stores;
using Coordination.Redis.Telemetry;
using Coordination.Stores;
using Coordination.Telemetry;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using StackExchange.Redis;

namespace Microsoft.Extensions.DependencyInjection;

/// <summary>Chooses Redis, or a server that speaks its protocol, as the store: <c>services.AddCoordination(…).UseRedis(…)</c>.</summary>
public static class RedisCoordinationBuilderExtensions
{
    /// <summary>Keeps the locks on a server to which the store makes a connection of its own, on first use.</summary>
    /// <param name="builder">From <c>AddCoordination</c>.</param>
    /// <param name="connectionString">
    /// In the form of StackExchange.Redis, such as <c>localhost:6379</c> or <c>host:port,password=…,ssl=true</c>. Timeouts, heartbeat,
    /// backlog, reconnection and <c>abortConnect</c> are set by the store, because leases depend on them.
    /// </param>
    /// <param name="configure">Changes the options further; applied after the configuration section <c>Coordination:Redis</c>.</param>
    /// <returns>The builder.</returns>
    /// <exception cref="ArgumentException"><paramref name="connectionString"/> is null or empty.</exception>
    public static ICoordinationBuilder UseRedis(
        this ICoordinationBuilder builder, string connectionString, Action<RedisStoreOptions>? configure = null)
    {
        ArgumentNullException.ThrowIfNull(builder);
        ArgumentException.ThrowIfNullOrEmpty(connectionString);
        return builder.UseRedis(options =>
        {
            options.ConnectionString = connectionString;
            configure?.Invoke(options);
        });
    }

    /// <summary>Keeps the locks on a server to which the store makes a connection of its own, on first use.</summary>
    /// <param name="builder">From <c>AddCoordination</c>.</param>
    /// <param name="configuration">
    /// Where and how to connect. The store works with a copy, in which timeouts, heartbeat, backlog, reconnection, channel prefix and
    /// <c>AbortOnConnectFail</c> are set for leases.
    /// </param>
    /// <param name="configure">Changes the options further; applied after the configuration section <c>Coordination:Redis</c>.</param>
    /// <returns>The builder.</returns>
    /// <exception cref="ArgumentNullException"><paramref name="configuration"/> is null.</exception>
    public static ICoordinationBuilder UseRedis(
        this ICoordinationBuilder builder, ConfigurationOptions configuration, Action<RedisStoreOptions>? configure = null)
    {
        ArgumentNullException.ThrowIfNull(builder);
        ArgumentNullException.ThrowIfNull(configuration);
        return builder.UseRedis(options =>
        {
            options.ConnectionString = null;
            options.Configuration = configuration;
            configure?.Invoke(options);
        });
    }

    /// <summary>
    /// Keeps the locks on the server that <c>Coordination:Redis:ConnectionString</c> names; when that is not set, on the
    /// <see cref="IConnectionMultiplexer"/> that is registered, which is shared and never disposed by the store. Settings
    /// of it that do not suit leases are logged as warnings when it is first used.
    /// </summary>
    /// <param name="builder">From <c>AddCoordination</c>.</param>
    /// <param name="configure">Changes the options further; applied after the configuration section <c>Coordination:Redis</c>.</param>
    /// <returns>The builder.</returns>
    public static ICoordinationBuilder UseRedis(this ICoordinationBuilder builder, Action<RedisStoreOptions>? configure = null)
    {
        ArgumentNullException.ThrowIfNull(builder);
        var services = builder.Services;
        services.AddCoordinationSettings<RedisStoreOptions>(RedisStoreOptions.SectionName, DurationsInEffect);
        services.AddOptions<RedisStoreOptions>()
            .Configure<IServiceProvider>(static (options, provider) =>
                provider.GetService<IConfiguration>()?.GetCoordinationSettings<RedisStoreOptions>(RedisStoreOptions.SectionName).Bind(options))
            .Configure(options => configure?.Invoke(options));
        // Checked when the store is made, which the start does where this is the store that counts.
        services.TryAddEnumerable(ServiceDescriptor.Singleton<IValidateOptions<RedisStoreOptions>, RedisStoreOptionsValidator>());
        services.TryAddSingleton<StoreInUse>();
        services.TryAddSingleton(CreateConnection);
        services.TryAddSingleton(CreateStore);
        services.Replace(ServiceDescriptor.Singleton<ILockStore>(static provider => provider.GetRequiredService<RedisLockStore>()));
        services.TryAddEnumerable(ServiceDescriptor.Singleton<IHostedService, ProbeAtStart>());
        return builder;
    }

    private static IEnumerable<KeyValuePair<string, TimeSpan>> DurationsInEffect(IServiceProvider provider)
    {
        if (provider.GetService<ILockStore>() is RedisLockStore)
        {
            var options = provider.GetRequiredService<IOptions<RedisStoreOptions>>().Value;
            yield return new("Redis:" + nameof(options.CommandTimeout), options.CommandTimeoutFor(provider.GetRequiredService<IOptions<CoordinationOptions>>().Value));
            if (options.ReplicasToWaitFor > 0)
            {
                yield return new("Redis:" + nameof(options.ReplicationTimeout), options.ReplicationTimeout);
            }
        }
    }

    private static RedisConnection CreateConnection(IServiceProvider provider)
    {
        var options = provider.GetRequiredService<IOptions<RedisStoreOptions>>().Value;
        var coordination = provider.GetRequiredService<IOptions<CoordinationOptions>>().Value;
        var logger = LoggerOf<RedisConnection>(provider);
        if (ConnectionSettings.ToMake(options, coordination) is { } settings)
        {
            return new RedisConnection(settings, logger);
        }

        var given = provider.GetService<IConnectionMultiplexer>() ?? throw new InvalidOperationException(
            $"UseRedis() found no connection. Set {RedisStoreOptions.SectionName}:ConnectionString, pass a connection string to UseRedis, or register an IConnectionMultiplexer.");
        foreach (var doubt in ConnectionSettings.Doubts(given, coordination))
        {
            Log.ConnectionDoubtful(logger, doubt);
        }

        return new RedisConnection(given, logger);
    }

    private static RedisLockStore CreateStore(IServiceProvider provider)
    {
        RealTime.Demand(provider.GetRequiredService<TimeProvider>());
        var options = provider.GetRequiredService<IOptions<RedisStoreOptions>>().Value;
        var probe = options.ProbeOnStart
            ? new ServerProbe(options, LoggerOf<ServerProbe>(provider))
            : null;
        var store = new RedisLockStore(provider.GetRequiredService<RedisConnection>(), options, probe, LoggerOf<RedisLockStore>(provider));
        provider.GetRequiredService<StoreInUse>().Store = store;
        return store;
    }

    /// <summary>Its lines go through the node's door, so that no log keeps a connection or a subscription waiting.</summary>
    private static ILogger LoggerOf<T>(IServiceProvider provider) =>
        provider.GetRequiredService<TelemetryDispatcher>().Wrap(provider.GetRequiredService<ILogger<T>>());
}
