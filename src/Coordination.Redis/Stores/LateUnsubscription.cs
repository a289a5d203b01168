using StackExchange.Redis;

namespace Coordination.Redis.Stores;

/// <summary>
/// Ends a subscription that was ended while its connection was away. The client may have queued by then that it asks for it again, and
/// sends that when the connection is back. Knows nothing of who listened.
/// </summary>
internal sealed class LateUnsubscription
{
    private readonly IConnectionMultiplexer _connection;
    private readonly RedisChannel _channel;

    private LateUnsubscription(IConnectionMultiplexer connection, RedisChannel channel)
    {
        _connection = connection;
        _channel = channel;
    }

    public static void Begin(IConnectionMultiplexer connection, RedisChannel channel)
    {
        var late = new LateUnsubscription(connection, channel);
        connection.ConnectionRestored += late.OnRestored;
        if (connection.GetSubscriber().IsConnected(channel))
        {
            // Meanwhile.
            _ = late.EndAsync();
        }
    }

    private void OnRestored(object? sender, ConnectionFailedEventArgs restored)
    {
        if (restored.ConnectionType == ConnectionType.Subscription)
        {
            _ = EndAsync();
        }
    }

    private async Task EndAsync()
    {
        try
        {
            // What is not subscribed is not ended: the client would send nothing.
            var subscriber = _connection.GetSubscriber();
            await subscriber.SubscribeAsync(_channel, Ignore).ConfigureAwait(false);
            await subscriber.UnsubscribeAsync(_channel, Ignore).ConfigureAwait(false);
            _connection.ConnectionRestored -= OnRestored;
        }
        catch (Exception lost) when (lost is RedisException or TimeoutException or ObjectDisposedException or OperationCanceledException)
        {
            // Lost again, or refused: the next time that it is restored.
        }
    }

    private static void Ignore(RedisChannel channel, RedisValue message)
    {
        // Nobody listens.
    }
}
