using Coordination.Redis.Errors;
using Coordination.Stores;
using StackExchange.Redis;

namespace Coordination.Redis.Stores;

/// <summary>A channel on one connection, and the news that it was away.</summary>
internal sealed class RedisSubscription : IAsyncDisposable
{
    /// <summary>How long to wait for a server that can be asked.</summary>
    private static readonly TimeSpan RetryInterval = TimeSpan.FromMilliseconds(250);

    /// <summary>How often to look whether it still stands; looking asks no server.</summary>
    private static readonly TimeSpan LookInterval = TimeSpan.FromSeconds(1);

    /// <summary>How often to look at most, where it cannot be seen to stand.</summary>
    private static readonly TimeSpan LongestLookInterval = TimeSpan.FromSeconds(30);

    private readonly IConnectionMultiplexer _connection;
    private readonly ISubscriber _subscriber;
    private readonly ServerClocks _clocks;
    private readonly RedisChannel _channel;
    private readonly Action<LockNotification> _handler;
    private readonly TaskCompletionSource _listening = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly CancellationTokenSource _ending = new();
    private Hearing _hearing;
    private Task _subscribing = Task.CompletedTask;
    private volatile bool _isRefused;
    private int _commandsLost;
    private int _notificationsLost;
    private int _changes;
    private int _isNews;
    private int _disposed;

    private RedisSubscription(IConnectionMultiplexer connection, ServerClocks clocks, RedisChannel channel, Action<LockNotification> handler)
    {
        _connection = connection;
        _subscriber = connection.GetSubscriber();
        _channel = channel;
        _handler = handler;
        _clocks = clocks;
        _hearing = HearingNow();
    }

    /// <summary>Begins to hear. Completes when the server has confirmed.</summary>
    public static async Task<RedisSubscription> BeginAsync(
        IConnectionMultiplexer connection, ServerClocks clocks, string channel, Action<LockNotification> handler, CancellationToken cancellationToken)
    {
        var subscription = new RedisSubscription(connection, clocks, RedisChannel.Literal(channel), handler);
        connection.ConnectionFailed += subscription.OnLost;
        connection.ConnectionRestored += subscription.OnRestored;
        connection.ConfigurationChanged += subscription.OnTopologyChanged;
        try
        {
            await subscription.ListenAsync(cancellationToken).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            // The caller does not wait for the end of what it does not wait for.
            _ = subscription.DisposeAsync().AsTask();
            throw;
        }
        catch
        {
            // Whatever it was, nobody has this subscription, so nobody else would end it.
            await subscription.DisposeAsync().ConfigureAwait(false);
            throw;
        }

        _ = subscription.WatchAsync();
        return subscription;
    }

    public async ValueTask DisposeAsync()
    {
        if (Interlocked.Exchange(ref _disposed, 1) != 0)
        {
            return;
        }

        await _ending.CancelAsync().ConfigureAwait(false);

        _connection.ConnectionFailed -= OnLost;
        _connection.ConnectionRestored -= OnRestored;
        _connection.ConfigurationChanged -= OnTopologyChanged;

        // The client ends only what a server has confirmed: before that it would send nothing, and the server would go on telling the node.
        await _subscribing.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        var isAway = !_subscriber.IsConnected(_channel);
        try
        {
            await _subscriber.UnsubscribeAsync(_channel, Volatile.Read(ref _hearing).Handler).ConfigureAwait(false);
        }
        catch (Exception away) when (away is RedisException or TimeoutException or ObjectDisposedException or OperationCanceledException)
        {
            isAway = true;
        }

        if (isAway)
        {
            LateUnsubscription.Begin(_connection, _channel);
        }
    }

    private async Task ListenAsync(CancellationToken cancellationToken)
    {
        try
        {
            _subscribing = _subscriber.SubscribeAsync(_channel, _hearing.Handler);
            await _subscribing.WaitAsync(cancellationToken).ConfigureAwait(false);
        }
        catch (RedisConnectionException) when (_connection.IsConnected)
        {
            // The connection for commands stands, and the one for notifications is still being made, or the slots of a Cluster are not known
            // yet. To fail now would leave the node deaf until it asks again. The client need not raise an event when it can.
            StandAgain(isNews: false);
            var limit = TimeSpan.FromMilliseconds(_connection.TimeoutMilliseconds);
            await _listening.Task.WaitAsync(limit, TimeProvider.System, cancellationToken).ConfigureAwait(false);
        }
    }

    /// <summary>
    /// Looks whether the client still has a server for the channel. Its events tell of connections and of the topology, in any order, and none of them may come
    /// after the one in which the subscription was lost: the node would be deaf with all connections up.
    /// </summary>
    private async Task WatchAsync()
    {
        var interval = LookInterval;
        HearAnew();
        while (!_isRefused && !_ending.IsCancellationRequested)
        {
            await Task.Delay(interval, TimeProvider.System, _ending.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            if (_ending.IsCancellationRequested || (_subscriber.SubscribedEndpoint(_channel) is not null && _subscriber.IsConnected(_channel)))
            {
                interval = LookInterval;
                HearAnew();
                continue;
            }

            StandAgain(isNews: true);
            interval = 2 * interval < LongestLookInterval ? 2 * interval : LongestLookInterval;
        }
    }

    /// <summary>
    /// The client takes the handler when it reads a message. So one that was read before another server took over is known by its handler, however late it is handled;
    /// and one of that server, by what the client has connected to meanwhile.
    /// </summary>
    private Hearing HearingNow()
    {
        var clock = _clocks.Of(_connection);
        return new Hearing(clock, (_, message) => OnMessage(message, clock));
    }

    private void OnMessage(RedisValue message, long? clock)
    {
        if (!NotificationText.TryParse(message.ToString(), out var notification))
        {
            return;
        }

        if (notification.Handover is { } handover)
        {
            var isKnown = clock is not null && clock == _clocks.Of(_connection, _channel);
            notification = notification with { Handover = isKnown ? handover with { StoreClock = clock!.Value } : null };
        }

        _handler(notification);
    }

    /// <summary>Listens by another handler where another server is listened to.</summary>
    private void HearAnew()
    {
        if (Volatile.Read(ref _hearing).Clock != _clocks.Of(_connection))
        {
            StandAgain(isNews: false);
        }
    }

    private void OnLost(object? sender, ConnectionFailedEventArgs lost)
    {
        Volatile.Write(ref Loss(lost.ConnectionType), 1);
        if (lost.ConnectionType == ConnectionType.Subscription)
        {
            // The server may never be back, and the client listens to another one then.
            StandAgain(isNews: true);
        }
    }

    /// <summary>Also raised when a connection stands for the first time, which is no news for a node.</summary>
    private void OnRestored(object? sender, ConnectionFailedEventArgs restored)
    {
        var wasLost = Interlocked.Exchange(ref Loss(restored.ConnectionType), 0) != 0;
        if (wasLost || restored.ConnectionType == ConnectionType.Subscription)
        {
            StandAgain(wasLost);
        }
    }

    /// <summary>Another primary took over from one that was lost and may not be back: what that one had to tell may not have arrived.</summary>
    private void OnTopologyChanged(object? sender, EndPointEventArgs changed)
    {
        if (Volatile.Read(ref _commandsLost) != 0 || Volatile.Read(ref _notificationsLost) != 0)
        {
            StandAgain(isNews: true);
        }
    }

    private void StandAgain(bool isNews)
    {
        if (isNews)
        {
            Volatile.Write(ref _isNews, 1);
        }

        // What happens while one is under way makes that one begin anew.
        if (Interlocked.Increment(ref _changes) == 1)
        {
            _ = StandAgainAsync();
        }
    }

    private async Task StandAgainAsync()
    {
        int changes;
        do
        {
            changes = Volatile.Read(ref _changes);
            while (Volatile.Read(ref _disposed) == 0 && !await TryStandAsync().ConfigureAwait(false))
            {
                await Task.Delay(RetryInterval, TimeProvider.System, CancellationToken.None).ConfigureAwait(false);
            }

            if (Interlocked.Exchange(ref _isNews, 0) != 0)
            {
                Tell();
            }
        }
        while (Interlocked.CompareExchange(ref _changes, 0, changes) != changes);
    }

    /// <summary>
    /// Makes sure that a server has confirmed the subscription. The client asks again by itself, but once only: when no server can be
    /// chosen in that moment, as in the middle of a failover, the node stays deaf with all connections up.
    /// </summary>
    private async Task<bool> TryStandAsync()
    {
        if (!_connection.IsConnected)
        {
            return false;
        }

        try
        {
            try
            {
                // Asks a server unless one has confirmed already, and leaves the handler of messages alone.
                await _subscriber.SubscribeAsync(_channel, Ignore).ConfigureAwait(false);
            }
            finally
            {
                await _subscriber.UnsubscribeAsync(_channel, Ignore).ConfigureAwait(false);
            }

            await TryHearAnewAsync().ConfigureAwait(false);

            _listening.TrySetResult();
            return true;
        }
        catch (RedisServerException refused) when (RedisErrorClassifier.IsMissingRight(refused))
        {
            // Asking again changes nothing. Whoever is beginning to hear is told what is missing.
            _isRefused = true;
            _listening.TrySetException(refused);
            _ = _listening.Task.Exception;
            return true;
        }
        catch (Exception lost) when (lost is RedisException or TimeoutException or ObjectDisposedException or OperationCanceledException)
        {
            // Lost again.
            return false;
        }
    }

    private async Task TryHearAnewAsync()
    {
        var next = HearingNow();
        if (next.Clock == _hearing.Clock)
        {
            return;
        }

        // One after the other: both may hear the same message, which is no harm.
        var unheard = next;
        try
        {
            await _subscriber.SubscribeAsync(_channel, next.Handler).ConfigureAwait(false);
            unheard = Interlocked.Exchange(ref _hearing, next);
        }
        finally
        {
            await _subscriber.UnsubscribeAsync(_channel, unheard.Handler).ConfigureAwait(false);
            if (Volatile.Read(ref _disposed) != 0)
            {
                await _subscriber.UnsubscribeAsync(_channel, next.Handler).ConfigureAwait(false);
            }
        }
    }

    private static void Ignore(RedisChannel channel, RedisValue message)
    {
        // Another handler hears it.
    }

    private ref int Loss(ConnectionType connection) =>
        ref connection == ConnectionType.Subscription ? ref _notificationsLost : ref _commandsLost;

    private void Tell()
    {
        if (Volatile.Read(ref _disposed) == 0)
        {
            _handler(LockNotification.Reconnected);
        }
    }

    /// <param name="Clock">Whose times it is told.</param>
    /// <param name="Handler">Is told.</param>
    private sealed record Hearing(long? Clock, Action<RedisChannel, RedisValue> Handler);
}
