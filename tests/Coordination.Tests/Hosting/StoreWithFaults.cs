using Coordination.Stores;

namespace Coordination.Tests.Hosting;

/// <summary>A node's way to the store, which can be cut, made to hang, or held up at a gate.</summary>
internal sealed class StoreWithFaults(ILockStore inner) : ILockStore
{
    private volatile int _tries;
    private volatile bool _isQueued;

    public string Name => inner.Name;

    /// <summary>What every call throws; null for none.</summary>
    public volatile Exception? Fault;

    /// <summary>Releases wait for this.</summary>
    public volatile Task ReleaseGate = Task.CompletedTask;

    /// <summary>Pings wait for this.</summary>
    public volatile Task PingGate = Task.CompletedTask;

    /// <summary>How often a waiter asked for a lock, or to be told of one.</summary>
    public int Tries => _tries;

    /// <summary>Whether the store has the node in a queue, by its last answer.</summary>
    public bool IsQueued => _isQueued;

    public static LockStoreException Away => new("The connection is gone.", isTransient: true, new InvalidOperationException("password=hunter2"));

    public async Task<AcquireReply> AcquireAsync(AcquireRequest request, CancellationToken cancellationToken)
    {
        Interlocked.Increment(ref _tries);
        var reply = await Do(() => inner.AcquireAsync(request, cancellationToken));
        _isQueued = request.Wait && !reply.IsGranted;
        return reply;
    }

    public Task<IReadOnlyList<bool>> RenewAsync(IReadOnlyList<RenewalRequest> requests, CancellationToken cancellationToken) =>
        Do(() => inner.RenewAsync(requests, cancellationToken));

    public async Task<ReleaseReply> ReleaseAsync(ReleaseRequest request, CancellationToken cancellationToken)
    {
        await ReleaseGate.WaitAsync(cancellationToken);
        return await Do(() => inner.ReleaseAsync(request, cancellationToken));
    }

    public Task<IAsyncDisposable> SubscribeAsync(string nodeId, Action<LockNotification> handler, CancellationToken cancellationToken)
    {
        Interlocked.Increment(ref _tries);
        return Do(() => inner.SubscribeAsync(nodeId, handler, cancellationToken));
    }

    public Task<LockHolder?> GetHolderAsync(string lockName, CancellationToken cancellationToken) =>
        Do(() => inner.GetHolderAsync(lockName, cancellationToken));

    public async Task PingAsync(CancellationToken cancellationToken)
    {
        // As a store that does not heed its token.
        await PingGate;
        await Do(async () =>
        {
            await inner.PingAsync(cancellationToken);
            return true;
        });
    }

    private Task<T> Do<T>(Func<Task<T>> call) => Fault is { } fault ? Task.FromException<T>(fault) : call();
}
