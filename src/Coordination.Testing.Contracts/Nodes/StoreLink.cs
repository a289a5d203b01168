using System.Data.Common;
using Coordination.Stores;

namespace Coordination.Testing.Contracts.Nodes;

/// <summary>A node's way to its store, which may be cut, go deaf, or lose replies on the way back.</summary>
internal sealed class StoreLink(ILockStore store) : ILockStore, ILockStoreAdministration, ITransactionalFence
{
    private volatile bool _isCut;
    private volatile bool _isDeaf;
    private int _releases;
    private int _repliesToLose;
    private Action<LockNotification>? _handler;

    public string Name => store.Name;

    public bool KeepsShares => store.KeepsShares;

    private ILockStoreAdministration Administration => (ILockStoreAdministration)store;

    private ITransactionalFence Fence => store as ITransactionalFence ?? throw new NotSupportedException($"The store '{store.Name}' cannot guard a transaction.");

    /// <summary>Whether no call arrives and nothing is heard.</summary>
    public bool IsCut
    {
        get => _isCut;
        set => _isCut = value;
    }

    /// <summary>Whether nothing is heard, while calls arrive.</summary>
    public bool IsDeaf
    {
        get => _isDeaf;
        set => _isDeaf = value;
    }

    /// <summary>What happens between a node's wish to listen and the store's taking it in.</summary>
    public Func<Task> BeforeListening { get; set; } = () => Task.CompletedTask;

    /// <summary>What happens between a node's release and the store's taking it in.</summary>
    public Action BeforeReleasing { get; set; } = () => { };

    /// <summary>How many releases the store has carried out.</summary>
    public int Releases => Volatile.Read(ref _releases);

    /// <summary>How many of the next acquires and releases are carried out with their reply lost.</summary>
    public int RepliesToLose
    {
        get => Volatile.Read(ref _repliesToLose);
        set => Volatile.Write(ref _repliesToLose, value);
    }

    public int PartitionOf(string lockName) => store.PartitionOf(lockName);

    public int ShardOf(string lockName) => store.ShardOf(lockName);

    public Task<AcquireReply> AcquireAsync(AcquireRequest request, CancellationToken cancellationToken) =>
        LoseReplyAsync(() => store.AcquireAsync(request, cancellationToken));

    public Task<IReadOnlyList<AcquireReply>?> TryAcquireAllAsync(IReadOnlyList<AcquireRequest> requests, CancellationToken cancellationToken) =>
        LoseReplyAsync(() => store.TryAcquireAllAsync(requests, cancellationToken));

    public Task<IReadOnlyList<RenewalReply>> RenewAsync(IReadOnlyList<RenewalRequest> requests, CancellationToken cancellationToken) =>
        CallAsync(() => store.RenewAsync(requests, cancellationToken));

    public async Task<ReleaseReply> ReleaseAsync(ReleaseRequest request, CancellationToken cancellationToken)
    {
        BeforeReleasing();
        var reply = await LoseReplyAsync(() => store.ReleaseAsync(request, cancellationToken));
        Interlocked.Increment(ref _releases);
        return reply;
    }

    public async Task<IAsyncDisposable> SubscribeAsync(string nodeId, Action<LockNotification> handler, CancellationToken cancellationToken)
    {
        await BeforeListening();
        _handler = handler;
        return await CallAsync(() => store.SubscribeAsync(nodeId, Pass, cancellationToken));
    }

    public Task<LockHolder?> GetHolderAsync(string lockName, CancellationToken cancellationToken) =>
        CallAsync(() => Administration.GetHolderAsync(lockName, cancellationToken));

    public Task<LockInspection> InspectAsync(string lockName, int maxWaiters, CancellationToken cancellationToken) =>
        CallAsync(() => Administration.InspectAsync(lockName, maxWaiters, cancellationToken));

    public Task<LockPage> ListAsync(string? cursor, CancellationToken cancellationToken) =>
        CallAsync(() => Administration.ListAsync(cursor, cancellationToken));

    public Task<bool> RevokeAsync(string lockName, long fencingToken, TimeSpan claimWindow, CancellationToken cancellationToken) =>
        CallAsync(() => Administration.RevokeAsync(lockName, fencingToken, claimWindow, cancellationToken));

    public Task<bool> AskToStepDownAsync(string lockName, long fencingToken, StepDownRequest request, CancellationToken cancellationToken) =>
        CallAsync(() => Administration.AskToStepDownAsync(lockName, fencingToken, request, cancellationToken));

    public Task<bool> ForgetOccurrenceAsync(string lockName, string series, CancellationToken cancellationToken) =>
        CallAsync(() => Administration.ForgetOccurrenceAsync(lockName, series, cancellationToken));

    public Task PingAsync(CancellationToken cancellationToken) => CallAsync(async () =>
    {
        await Administration.PingAsync(cancellationToken);
        return true;
    });

    public void Accept(DbTransaction transaction) => Fence.Accept(transaction);

    public Task RefuseAsync(DbTransaction transaction) => Fence.RefuseAsync(transaction);

    public Task<bool> PrepareGuardAsync(GuardRequest request, CancellationToken cancellationToken) => CallAsync(() => Fence.PrepareGuardAsync(request, cancellationToken));

    public Task<bool> GuardAsync(GuardRequest request, DbTransaction transaction, CancellationToken cancellationToken) => CallAsync(() => Fence.GuardAsync(request, transaction, cancellationToken));

    /// <summary>Tells the node what a store tells it when a connection was lost and is back.</summary>
    public void Reconnect() => Pass(LockNotification.Reconnected);

    private async Task<T> CallAsync<T>(Func<Task<T>> call) => _isCut ? throw Away() : await call();

    private async Task<T> LoseReplyAsync<T>(Func<Task<T>> call)
    {
        var reply = await CallAsync(call);
        return RepliesToLose > 0 && Interlocked.Decrement(ref _repliesToLose) >= 0 ? throw Away() : reply;
    }

    private void Pass(LockNotification notification)
    {
        if (!_isCut && !_isDeaf)
        {
            _handler?.Invoke(notification);
        }
    }

    private static LockStoreException Away() => new("The link to the store was cut by the test.", isTransient: true);
}
