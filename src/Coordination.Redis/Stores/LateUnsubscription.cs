using Coordination.Redis.Errors;
using StackExchange.Redis;

namespace Coordination.Redis.Stores;

/// <summary>
/// Ends a subscription that was ended while its connection was away. The client may have queued by then that it asks for it again, and
/// sends that when the connection is back. Knows nothing of who listened.
/// </summary>
internal sealed class LateUnsubscription
{
    /// <summary>How long to wait for a server whose connection stands and that does not reply.</summary>
    private static readonly TimeSpan RetryInterval = TimeSpan.FromSeconds(1);

    private readonly IConnectionMultiplexer _connection;
    private readonly RedisChannel _channel;
    private int _isUnderWay;

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
        if (Interlocked.Exchange(ref _isUnderWay, 1) != 0)
        {
            return;
        }

        try
        {
            while (!await TryEndAsync().ConfigureAwait(false) && _connection.IsConnected)
            {
                // No connection is restored that was never lost: the server stands still.
                await Task.Delay(RetryInterval, TimeProvider.System, CancellationToken.None).ConfigureAwait(false);
            }
        }
        finally
        {
            Volatile.Write(ref _isUnderWay, 0);
        }
    }

    /// <returns>Whether it is ended, or never will be.</returns>
    private async Task<bool> TryEndAsync()
    {
        try
        {
            // What is not subscribed is not ended: the client would send nothing.
            var subscriber = _connection.GetSubscriber();
            await subscriber.SubscribeAsync(_channel, Ignore).ConfigureAwait(false);
            await subscriber.UnsubscribeAsync(_channel, Ignore).ConfigureAwait(false);
        }
        catch (Exception refused) when (refused is ObjectDisposedException || (refused is RedisServerException said && RedisErrorClassifier.IsMissingRight(said)))
        {
            // Asking again changes nothing.
        }
        catch (Exception lost) when (lost is RedisException or TimeoutException or OperationCanceledException)
        {
            // Lost again, or late: again, or the next time that it is restored.
            return false;
        }

        _connection.ConnectionRestored -= OnRestored;
        return true;
    }

    private static void Ignore(RedisChannel channel, RedisValue message)
    {
        // Nobody listens.
    }
}
