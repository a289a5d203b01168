using System.Collections.Concurrent;
using System.Security.Cryptography;
using System.Text;
using Coordination.PostgreSql.Connections;
using Coordination.PostgreSql.Transactions;
using Coordination.Stores;
using Microsoft.Extensions.Logging;

namespace Coordination.PostgreSql.Stores;

/// <summary>The subscriptions of a store, one for each node of it. They end with it.</summary>
internal sealed class NodeSubscriptions(LockDatabase database, Statements statements, PostgreSqlStoreOptions options, TransactionLimits limits, ILogger logger) : IAsyncDisposable
{
    private readonly ConcurrentDictionary<NodeSubscription, bool> _all = new();
    private readonly CancellationTokenSource _disposing = new();
    private int _isDisposed;

    /// <summary>Whether nodes are told by the server.</summary>
    public bool AreToldByServer => options.Notifications == PostgreSqlNotifications.Listen;

    public async Task<IAsyncDisposable> BeginAsync(string nodeId, Action<LockNotification> handler, CancellationToken cancellationToken)
    {
        ObjectDisposedException.ThrowIf(_disposing.IsCancellationRequested, this);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, _disposing.Token);
        var subscription = AreToldByServer
            ? await NodeSubscription.BeginAsync(nodeId, database, limits, ChannelOf(nodeId), handler, Remove, logger, either.Token).ConfigureAwait(false)
            : NodeSubscription.Poll(nodeId, database, limits, ChannelOf(nodeId), statements.TakeMail, options.PollInterval, handler, Remove, logger);
        _all[subscription] = true;
        if (_disposing.IsCancellationRequested)
        {
            await subscription.DisposeAsync().ConfigureAwait(false);
            ObjectDisposedException.ThrowIf(true, this);
        }

        return subscription;
    }

    /// <summary>Tells the nodes of this process.</summary>
    /// <returns>Whether the node is one of them.</returns>
    public bool TryTell(LockNotification notification)
    {
        var isOurs = false;
        foreach (var (subscription, _) in _all)
        {
            if (subscription.NodeId == notification.Owner!.NodeId)
            {
                isOurs = true;
                subscription.Tell(notification);
            }
        }

        return isOurs;
    }

    /// <summary>Whether a node of this process is meant, whom nobody has to notify.</summary>
    public bool IsOurs(LockOwner owner) => _all.Any(entry => entry.Key.NodeId == owner.NodeId);

    /// <summary>A node's channel: its name is as long as any id, and a channel's is not.</summary>
    public string ChannelOf(string nodeId) =>
        "coordination_" + Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(options.Schema + "/" + nodeId)).AsSpan(0, 16));

    public async ValueTask DisposeAsync()
    {
        if (Interlocked.Exchange(ref _isDisposed, 1) != 0)
        {
            return;
        }

        await _disposing.CancelAsync().ConfigureAwait(false);
        await Task.WhenAll(_all.Keys.Select(subscription => subscription.DisposeAsync().AsTask())).ConfigureAwait(false);
    }

    private void Remove(NodeSubscription subscription) => _all.TryRemove(subscription, out _);
}
