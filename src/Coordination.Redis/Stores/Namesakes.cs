using System.Collections.Concurrent;
using Coordination.Redis.Telemetry;
using Microsoft.Extensions.Logging;
using StackExchange.Redis;

namespace Coordination.Redis.Stores;

/// <summary>
/// Looks for another node of the same id, such as the copy that a snapshot of a machine is: it listens on the channel before this one
/// does for the first time. Later it may be the node itself, over a connection that was lost.
/// </summary>
internal sealed class Namesakes(ILogger logger)
{
    private readonly ConcurrentDictionary<string, bool> _known = new(StringComparer.Ordinal);

    /// <summary>This node listens on the channel: whoever listens there from now on may be the node itself.</summary>
    public void Listens(string channel) => _known.TryAdd(channel, true);

    /// <summary>Says once when somebody listens on a channel on which this node never listened.</summary>
    public async Task LookAsync(IConnectionMultiplexer connection, string channel)
    {
        if (_known.ContainsKey(channel))
        {
            return;
        }

        // A server knows its own listeners only, on a Cluster as well.
        var counts = await Task.WhenAll(connection.GetServers().Where(server => server.IsConnected).Select(server => CountAsync(server, channel))).ConfigureAwait(false);
        if (counts.Any(count => count > 0) && _known.TryAdd(channel, true))
        {
            Log.IdIsTaken(logger, channel);
        }
    }

    private async Task<long> CountAsync(IServer server, string channel)
    {
        try
        {
            return await server.SubscriptionSubscriberCountAsync(RedisChannel.Literal(channel)).ConfigureAwait(false);
        }
        catch (Exception silent) when (silent is RedisException or RedisCommandException or TimeoutException)
        {
            // It is away, or the command was renamed or is forbidden. To be heard by is more than to know this.
            Log.ListenersAreUnknown(logger, silent.Message);
            return 0;
        }
    }
}
