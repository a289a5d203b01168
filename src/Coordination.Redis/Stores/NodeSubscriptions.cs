using Coordination.Redis.Connections;
using Coordination.Stores;
using Microsoft.Extensions.Logging;
using StackExchange.Redis;

namespace Coordination.Redis.Stores;

/// <summary>The subscriptions of a store. They end with it, those that are being made as well: the connection may be one that others use.</summary>
internal sealed class NodeSubscriptions(RedisConnection connection, ServerClocks clocks, ILogger logger) : IAsyncDisposable
{
    private readonly Namesakes _namesakes = new(logger);
    private readonly CancellationTokenSource _disposing = new();
    private readonly HashSet<NodeSubscription> _all = [];
    private readonly Lock _gate = new();
    private bool _isDisposed;

    /// <inheritdoc cref="NodeSubscription.BeginAsync"/>
    public async Task<NodeSubscription> BeginAsync(
        IConnectionMultiplexer established, string channel, Action<LockNotification> handler, CancellationToken cancellationToken)
    {
        ObjectDisposedException.ThrowIf(_isDisposed, this);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, _disposing.Token);
        try
        {
            var subscription = await Detached.RunAsync(async () =>
            {
                await _namesakes.LookAsync(established, channel).WaitAsync(either.Token).ConfigureAwait(false);
                var begun = await NodeSubscription.BeginAsync(connection, established, clocks, channel, handler, Remove, either.Token).ConfigureAwait(false);
                _namesakes.Listens(channel);
                return begun;
            }).ConfigureAwait(false);
            if (!TryAdd(subscription))
            {
                await subscription.DisposeAsync().ConfigureAwait(false);
                ObjectDisposedException.ThrowIf(_isDisposed, this);
            }

            return subscription;
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            throw new OperationCanceledException(cancellationToken);
        }
    }

    public async ValueTask DisposeAsync()
    {
        NodeSubscription[] all;
        lock (_gate)
        {
            if (_isDisposed)
            {
                return;
            }

            _isDisposed = true;
            all = [.. _all];
        }

        // All at once, and each as far as it comes without waiting: a container that is disposed synchronously waits for none.
        var ending = Task.WhenAll(all.Select(subscription => subscription.DisposeAsync().AsTask()));
        await _disposing.CancelAsync().ConfigureAwait(false);
        await ending.ConfigureAwait(false);
    }

    private bool TryAdd(NodeSubscription subscription)
    {
        lock (_gate)
        {
            return !_isDisposed && _all.Add(subscription);
        }
    }

    private void Remove(NodeSubscription subscription)
    {
        lock (_gate)
        {
            _all.Remove(subscription);
        }
    }
}
