using Coordination.Redis.Connections;
using Coordination.Redis.Errors;
using Coordination.Stores;
using StackExchange.Redis;

namespace Coordination.Redis.Stores;

/// <summary>A node's one channel, which moves when the connection is made anew.</summary>
internal sealed class NodeSubscription : IAsyncDisposable
{
    /// <summary>How long to wait for a server that takes the subscription.</summary>
    private static readonly TimeSpan RetryInterval = TimeSpan.FromMilliseconds(250);

    private readonly RedisConnection _connection;
    private readonly ServerClocks _clocks;
    private readonly string _channel;
    private readonly Action<LockNotification> _handler;
    private readonly Action<NodeSubscription> _ended;
    private readonly CancellationTokenSource _disposing = new();
    private readonly Lock _gate = new();
    private RedisSubscription? _current;
    private Task _moving = Task.CompletedTask;
    private bool _isDisposed;

    private NodeSubscription(RedisConnection connection, ServerClocks clocks, string channel, Action<LockNotification> handler, Action<NodeSubscription> ended)
    {
        _ended = ended;
        _connection = connection;
        _clocks = clocks;
        _channel = channel;
        _handler = handler;
    }

    /// <summary>Begins to hear. Completes when the server has confirmed.</summary>
    /// <param name="connection">The node's connection.</param>
    /// <param name="established">The one that stands.</param>
    /// <param name="clocks">Tells whose times are told.</param>
    /// <param name="channel">The node's channel.</param>
    /// <param name="handler">Is told.</param>
    /// <param name="ended">Is told when the subscription ends.</param>
    /// <param name="cancellationToken">Ends the wait, and the subscription.</param>
    public static async Task<NodeSubscription> BeginAsync(
        RedisConnection connection,
        IConnectionMultiplexer established,
        ServerClocks clocks,
        string channel,
        Action<LockNotification> handler,
        Action<NodeSubscription> ended,
        CancellationToken cancellationToken)
    {
        var subscription = new NodeSubscription(connection, clocks, channel, handler, ended)
        {
            _current = await RedisSubscription.BeginAsync(established, clocks, channel, handler, cancellationToken).ConfigureAwait(false),
        };
        connection.Replaced += subscription.OnReplaced;
        if (connection.Established is { } now && now != established)
        {
            // While it began.
            subscription.OnReplaced();
        }

        return subscription;
    }

    public async ValueTask DisposeAsync()
    {
        Task moving;
        lock (_gate)
        {
            if (_isDisposed)
            {
                return;
            }

            _isDisposed = true;
            moving = _moving;
        }

        _ended(this);
        _connection.Replaced -= OnReplaced;
        await _disposing.CancelAsync().ConfigureAwait(false);
        await moving.ConfigureAwait(false);
        await _current!.DisposeAsync().ConfigureAwait(false);
        _disposing.Dispose();
    }

    private void OnReplaced()
    {
        lock (_gate)
        {
            if (!_isDisposed)
            {
                _moving = MoveAsync(_moving);
            }
        }
    }

    /// <summary>Listens on the connection that stands, and then no more on the one before.</summary>
    private async Task MoveAsync(Task before)
    {
        await before.ConfigureAwait(false);
        while (!_disposing.IsCancellationRequested && _connection.Established is { } established)
        {
            try
            {
                var old = _current!;
                _current = await RedisSubscription.BeginAsync(established, _clocks, _channel, _handler, _disposing.Token).ConfigureAwait(false);
                _handler(LockNotification.Reconnected);
                await old.DisposeAsync().ConfigureAwait(false);
                return;
            }
            catch (RedisServerException refused) when (RedisErrorClassifier.IsMissingRight(refused))
            {
                // It had the right before, and asking again changes nothing: waiters go by the ends of leases until the node starts again.
                return;
            }
            catch (Exception away) when (away is RedisException or TimeoutException or ObjectDisposedException or OperationCanceledException)
            {
                await Task.Delay(RetryInterval, TimeProvider.System, _disposing.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }
        }
    }
}
