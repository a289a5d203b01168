using Coordination.Redis.Connections;
using Coordination.Redis.Errors;
using StackExchange.Redis;

namespace Coordination.Redis.Stores;

/// <summary>
/// Ends a subscription that was ended while its server was away or did not reply. The client may have queued by then that it asks for it
/// again, and sends that when the server is back. Knows nothing of who listened.
/// </summary>
internal static class LateUnsubscription
{
    /// <summary>How long to wait for a server that replies.</summary>
    private static readonly TimeSpan RetryInterval = TimeSpan.FromMilliseconds(250);

    public static void Begin(IConnectionMultiplexer connection, RedisChannel channel) =>
        _ = Detached.RunAsync(async () =>
        {
            await EndAsync(connection, channel).ConfigureAwait(false);
            return true;
        });

    private static async Task EndAsync(IConnectionMultiplexer connection, RedisChannel channel)
    {
        do
        {
            await Task.Delay(RetryInterval, TimeProvider.System, CancellationToken.None).ConfigureAwait(false);
        }
        while (!await TryEndAsync(connection, channel).ConfigureAwait(false));
    }

    private static async Task<bool> TryEndAsync(IConnectionMultiplexer connection, RedisChannel channel)
    {
        try
        {
            var subscriber = connection.GetSubscriber();
            try
            {
                // What is not subscribed is not ended: the client would send nothing.
                await subscriber.SubscribeAsync(channel, Ignore).ConfigureAwait(false);
            }
            finally
            {
                // Also of a subscription that had no reply: the client counts its handlers, and asks the server for the last one only.
                await subscriber.UnsubscribeAsync(channel, Ignore).ConfigureAwait(false);
            }

            return true;
        }
        catch (ObjectDisposedException)
        {
            // The connection has ended, and all its subscriptions with it.
            return true;
        }
        catch (RedisServerException refused) when (RedisErrorClassifier.IsMissingRight(refused))
        {
            // What may not be subscribed is not subscribed again either.
            return true;
        }
        catch (Exception lost) when (lost is RedisException or TimeoutException or OperationCanceledException)
        {
            return false;
        }
    }

    private static void Ignore(RedisChannel channel, RedisValue message)
    {
        // Nobody listens.
    }
}
