using System.Net;
using Coordination.Redis.Scripts;
using StackExchange.Redis;

namespace Coordination.Redis.Stores;

/// <summary>
/// Tells apart, by a number, the servers whose times a node is told: each has a clock of its own. Another one may take over at any time, but the client has to connect
/// to it: so it is the same server for as long as the primary's connections are the same, that for commands and that for notifications. The client counts a new
/// one before it is made, whatever it tells by its events, and when.
/// </summary>
internal sealed class ServerClocks(RedisKey anyKey)
{
    private readonly Lock _gate = new();
    private Line? _last;
    private long _number;

    /// <summary>The clock of who replies now.</summary>
    /// <returns>Null where there is none for certain.</returns>
    public long? Of(IConnectionMultiplexer? connection) => NumberOf(connection, PrimaryOf(connection));

    /// <summary>The clock of who tells what comes on a channel.</summary>
    /// <returns>Null where it is not for certain that of who replies: the client may listen to a replica.</returns>
    public long? Of(IConnectionMultiplexer connection, RedisChannel channel) =>
        PrimaryOf(connection) is { } primary && primary.EndPoint.Equals(connection.GetSubscriber().SubscribedEndpoint(channel)) ? NumberOf(connection, primary) : null;

    private IServer? PrimaryOf(IConnectionMultiplexer? connection)
    {
        try
        {
            return connection?.GetServer(anyKey, flags: RedisScript.OnPrimary) is { IsConnected: true } primary ? primary : null;
        }
        catch (InvalidOperationException)
        {
            // There is none, or the connection was replaced.
            return null;
        }
    }

    private long? NumberOf(IConnectionMultiplexer? connection, IServer? primary)
    {
        if (primary is null)
        {
            return null;
        }

        var counters = primary.GetCounters();
        var line = new Line(connection!, primary.EndPoint, counters.Interactive.SocketCount, counters.Subscription.SocketCount);
        lock (_gate)
        {
            if (line != _last)
            {
                (_last, _number) = (line, _number + 1);
            }

            return _number;
        }
    }

    private sealed record Line(IConnectionMultiplexer Connection, EndPoint Server, long ForCommands, long ForNotifications);
}
