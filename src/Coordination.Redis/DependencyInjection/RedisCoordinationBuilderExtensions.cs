using Coordination;
using Coordination.DependencyInjection;
using Coordination.Redis.Connections;
using Coordination.Redis.DependencyInjection;
using Coordination.Redis.Probing;
using Coordination.Redis.Stores;
using Coordination.Redis.Telemetry;
using Coordination.Stores;
using Coordination.Telemetry;
using Microsoft.Extensions.DependencyInjection.Extensions;
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
            options.ConnectTo(connectionString);
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
            options.ConnectTo(configuration);
            configure?.Invoke(options);
        });
    }

    /// <summary>
    /// Keeps the locks on the server to which a connection of the application leads, such as one that is registered under a key:
    /// <c>UseRedis(services => services.GetRequiredKeyedService&lt;IConnectionMultiplexer&gt;("locks"))</c>. It is shared and never disposed by the store. Settings of it
    /// that do not suit leases are logged as warnings when it is first used.
    /// </summary>
    /// <param name="builder">From <c>AddCoordination</c>.</param>
    /// <param name="connection">Finds or makes the connection. Called once, when the store is made.</param>
    /// <param name="configure">Changes the options further; applied after the configuration section <c>Coordination:Redis</c>.</param>
    /// <returns>The builder.</returns>
    /// <exception cref="ArgumentNullException"><paramref name="builder"/> or <paramref name="connection"/> is null.</exception>
    public static ICoordinationBuilder UseRedis(
        this ICoordinationBuilder builder, Func<IServiceProvider, IConnectionMultiplexer> connection, Action<RedisStoreOptions>? configure = null)
    {
        ArgumentNullException.ThrowIfNull(builder);
        ArgumentNullException.ThrowIfNull(connection);
        return builder.UseRedis(options =>
        {
            options.ConnectTo(connection);
            configure?.Invoke(options);
        });
    }

    /// <summary>
    /// As <see cref="UseRedis(ICoordinationBuilder, Func{IServiceProvider, IConnectionMultiplexer}, Action{RedisStoreOptions})"/>, for a connection that takes its
    /// time: <c>UseRedis(async services => await ConnectionMultiplexer.ConnectAsync(…))</c>.
    /// </summary>
    /// <param name="builder">From <c>AddCoordination</c>.</param>
    /// <param name="connection">Finds or makes the connection. Called by the first operation, and again by a later one when it failed.</param>
    /// <param name="configure">Changes the options further; applied after the configuration section <c>Coordination:Redis</c>.</param>
    /// <returns>The builder.</returns>
    /// <exception cref="ArgumentNullException"><paramref name="builder"/> or <paramref name="connection"/> is null.</exception>
    public static ICoordinationBuilder UseRedis(
        this ICoordinationBuilder builder, Func<IServiceProvider, Task<IConnectionMultiplexer>> connection, Action<RedisStoreOptions>? configure = null)
    {
        ArgumentNullException.ThrowIfNull(builder);
        ArgumentNullException.ThrowIfNull(connection);
        return builder.UseRedis(options =>
        {
            options.ConnectTo(connection);
            configure?.Invoke(options);
        });
    }

    /// <summary>
    /// Keeps the locks on the server that an earlier call named; else on that which <c>Coordination:Redis:ConnectionString</c> names; and when that is not set, on the
    /// <see cref="IConnectionMultiplexer"/> that is registered (for a node with a name, under that name as its key, or without one), which is shared and never disposed
    /// by the store. Settings of it that do not suit leases are logged as warnings when it is first used.
    /// </summary>
    /// <remarks>May be called several times, in each of its forms. What is set in code wins over the configuration, and a later call over an earlier one.</remarks>
    /// <param name="builder">From <c>AddCoordination</c>.</param>
    /// <param name="configure">Changes the options further; applied after the configuration section <c>Coordination:Redis</c>.</param>
    /// <returns>The builder.</returns>
    public static ICoordinationBuilder UseRedis(this ICoordinationBuilder builder, Action<RedisStoreOptions>? configure = null)
    {
        ArgumentNullException.ThrowIfNull(builder);
        var services = builder.Services;

        services.AddCoordinationBinding<RedisStoreOptions, RedisStoreOptionsBinding>();
        services.AddCoordinationSettings<RedisStoreOptions>(NodeSection.Of(builder.Name, RedisStoreOptions.Section), provider => DurationsInEffect(provider, builder.Name));
        services.AddOptions<RedisStoreOptions>(builder.Name).Configure(options => configure?.Invoke(options));
        // Checked when the store is made, which the start does where this is the store that counts.
        services.TryAddEnumerable(ServiceDescriptor.Singleton<IValidateOptions<RedisStoreOptions>, RedisStoreOptionsValidator>());
        builder.TryAddSingleton(CreateConnection);
        builder.TryAddSingleton(CreateStore);
        builder.UseStore(static node => node.GetRequired<RedisLockStore>());
        return builder.ExamineStoreAtStart();
    }

    private static IEnumerable<KeyValuePair<string, TimeSpan>> DurationsInEffect(IServiceProvider provider, string? name)
    {
        var store = string.IsNullOrEmpty(name) ? provider.GetService<ILockStore>() : provider.GetKeyedService<ILockStore>(name);
        if (store is RedisLockStore)
        {
            var options = provider.GetRequiredService<IOptionsMonitor<RedisStoreOptions>>().Get(name);
            var section = NodeSection.Of(name, RedisStoreOptions.Section)[(CoordinationOptions.SectionName.Length + 1)..];
            yield return new($"{section}:{nameof(options.CommandTimeout)}", options.CommandTimeoutFor(provider.GetRequiredService<IOptionsMonitor<CoordinationOptions>>().Get(name)));
            if (options.ReplicasToWaitFor > 0)
            {
                yield return new($"{section}:{nameof(options.ReplicationTimeout)}", options.ReplicationTimeout);
            }
        }
    }

    private static RedisConnection CreateConnection(NodeServices node)
    {
        var options = node.GetOptions<RedisStoreOptions>();
        var coordination = node.GetOptions<CoordinationOptions>();
        var logger = LoggerOf<RedisConnection>(node);
        if (options.ConnectAsync is { } connect)
        {
            return new RedisConnection(async () => Checked(await connect(node.Container).ConfigureAwait(false)), logger);
        }

        if (ConnectionSettings.ToMake(options, coordination) is { } settings)
        {
            return new RedisConnection(settings, logger);
        }

        if (options.Connect is { } find)
        {
            return new RedisConnection(Checked(find(node.Container)), logger);
        }

        var given = node.Get<IConnectionMultiplexer>()
            ?? node.Container.GetService<IConnectionMultiplexer>()
            ?? throw new InvalidOperationException(string.Join(
                ' ',
                [
                    $"UseRedis() found no connection. Set {NodeSection.Of(node.Name, RedisStoreOptions.Section)}:ConnectionString, pass a connection string to UseRedis, or register an IConnectionMultiplexer.",
                    .. node.Container.FindUnknownCoordinationSettings(),
                ]));
        return new RedisConnection(Checked(given), logger);

        IConnectionMultiplexer Checked(IConnectionMultiplexer? given)
        {
            if (given is null)
            {
                throw new InvalidOperationException("The factory that UseRedis was given returned null. Have it return the connection.");
            }

            foreach (var doubt in ConnectionSettings.Doubts(given, coordination))
            {
                Log.ConnectionDoubtful(logger, doubt);
            }

            return given;
        }
    }

    private static RedisLockStore CreateStore(NodeServices node)
    {
        RealTime.Demand(node.GetShared<TimeProvider>(), "Redis", nameof(UseRedis));
        var options = node.GetOptions<RedisStoreOptions>();
        Func<RedisConnection, Task<bool>>? examine = options.ProbeOnStart
            ? new ServerProbe(options, LoggerOf<ServerProbe>(node)).ExamineAsync
            : null;
        var store = new RedisLockStore(node.GetRequired<RedisConnection>(), options, examine, LoggerOf<RedisLockStore>(node));
        node.GetRequired<StoreExamination>().Examine = store.EnsureFitAsync;
        return store;
    }

    /// <summary>Its lines go through the node's door, so that no log keeps a connection or a subscription waiting.</summary>
    private static ILogger LoggerOf<T>(NodeServices node) => node.GetShared<TelemetryDispatcher>().Wrap(node.GetShared<ILogger<T>>());
}
