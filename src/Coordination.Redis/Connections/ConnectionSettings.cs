using System.Runtime.CompilerServices;
using StackExchange.Redis;

namespace Coordination.Redis.Connections;

/// <summary>What leases need of a connection: applied to one that is made here, compared with one that was handed in.</summary>
internal static class ConnectionSettings
{
    /// <summary>The client library's switch, for the whole process, for threads of its own.</summary>
    private const string DedicatedThreads = nameof(DedicatedThreads);

    private static readonly TimeSpan MaxHeartbeat = TimeSpan.FromMilliseconds(250);

    /// <summary>The settings of a connection that is made here, or null when one was handed in.</summary>
    public static ConfigurationOptions? ToMake(RedisStoreOptions options, CoordinationOptions coordination)
    {
        var settings = options.ConnectionString is { } text ? ConfigurationOptions.Parse(text) : options.Configuration?.Clone();
        if (settings is null)
        {
            return null;
        }

        var timeout = options.CommandTimeoutFor(coordination);
        var milliseconds = Math.Max(1, (int)timeout.TotalMilliseconds);
        settings.AsyncTimeout = milliseconds;
        settings.SyncTimeout = milliseconds;
        // Timeouts are noticed by the heartbeat.
        settings.HeartbeatInterval = timeout / 2 < MaxHeartbeat ? timeout / 2 : MaxHeartbeat;
        // The host starts, and goes on, while the server is away.
        settings.AbortOnConnectFail = false;
        // The first operation does not sit out several attempts: they go on in the background.
        settings.ConnectRetry = 0;
        // A command that waits for a connection would be sent when nobody counts on it any more.
        settings.BacklogPolicy = BacklogPolicy.FailFast;
        // After a long outage a node is back within two seconds of the server, and not within a minute.
        settings.ReconnectRetryPolicy = new ExponentialRetry(250, 2000);
        // Garnet closes a connection on which a script publishes to a subscription of the same connection.
        settings.SharedSubscriptionConnection = false;
        // The scripts name the channels in full; a prefix that only the client knows would keep the node deaf.
        settings.ChannelPrefix = default;
        if (string.IsNullOrEmpty(settings.ClientName))
        {
            settings.ClientName = ClientName(coordination);
        }

        if (options.DedicatedThreads)
        {
            ConnectionMultiplexer.SetFeatureFlag(DedicatedThreads, true);
        }

        return settings;
    }

    /// <summary>What is to be corrected on a connection that was handed in, one sentence for each setting.</summary>
    public static IEnumerable<string> Doubts(IConnectionMultiplexer connection, CoordinationOptions coordination)
    {
        if (!ConnectionMultiplexer.GetFeatureFlag(DedicatedThreads))
        {
            yield return "the feature flag DedicatedThreads is off, so renewals are late when the thread pool is exhausted; "
                + "call ConnectionMultiplexer.SetFeatureFlag(\"DedicatedThreads\", true) before connecting";
        }

        if (Of(connection) is not { } settings)
        {
            yield return "its settings cannot be read; it needs BacklogPolicy.FailFast, a HeartbeatInterval of 250 ms or less and an AsyncTimeout shorter than the renewal interval";
            yield break;
        }

        if (settings.BacklogPolicy.QueueWhileDisconnected)
        {
            yield return "BacklogPolicy queues commands while the server is away and sends them late; set BacklogPolicy.FailFast";
        }

        if (settings.HeartbeatInterval > MaxHeartbeat)
        {
            yield return $"HeartbeatInterval is {settings.HeartbeatInterval}, so a timeout is noticed that much late; set 250 ms or less";
        }

        var renewal = RedisStoreOptions.RenewalInterval(coordination);
        var timeout = TimeSpan.FromMilliseconds(settings.AsyncTimeout);
        if (timeout >= renewal)
        {
            yield return $"AsyncTimeout is {timeout} and leases are renewed every {renewal}; set it to half of that or less";
        }

        if (!settings.ChannelPrefix.IsNullOrEmpty)
        {
            yield return "ChannelPrefix keeps the node from hearing that a lock was passed to it, and it waits for the lease to run out instead; use a connection with none";
        }
    }

    /// <summary>For people who read CLIENT LIST; the server takes no spaces.</summary>
    private static string ClientName(CoordinationOptions coordination) =>
        $"coordination:{(coordination.NodeName ?? Environment.MachineName).Replace(' ', '-')}:{Environment.ProcessId}";

    /// <summary>The settings of a connection that was handed in; null when they cannot be read. The public surface shows only a part of them.</summary>
    public static ConfigurationOptions? Of(IConnectionMultiplexer connection)
    {
        if (connection is not ConnectionMultiplexer multiplexer)
        {
            return null;
        }

        try
        {
            return RawConfig(multiplexer);
        }
        catch (MissingMethodException)
        {
            // Another version of the client library. The caller says so.
            return null;
        }
    }

    [UnsafeAccessor(UnsafeAccessorKind.Method, Name = "get_RawConfig")]
    private static extern ConfigurationOptions RawConfig(ConnectionMultiplexer connection);
}
