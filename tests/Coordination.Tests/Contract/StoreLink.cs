using Coordination.Stores;

namespace Coordination.Tests.Contract;

/// <summary>A node's way to its store, which may be cut, go deaf, or lose replies on the way back.</summary>
internal sealed class StoreLink(ILockStore store) : DelegatingLockStore(store)
{
    private volatile bool _isCut;
    private volatile bool _isDeaf;
    private int _releases;
    private int _repliesToLose;
    private Action<LockNotification>? _handler;

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

    /// <summary>How many releases the store has taken in.</summary>
    public int Releases => Volatile.Read(ref _releases);

    /// <summary>How many of the next acquires and releases are carried out with their reply lost.</summary>
    public int RepliesToLose
    {
        get => Volatile.Read(ref _repliesToLose);
        set => Volatile.Write(ref _repliesToLose, value);
    }

    public override Task<AcquireReply> AcquireAsync(AcquireRequest request, CancellationToken cancellationToken) =>
        LoseReplyAsync(() => base.AcquireAsync(request, cancellationToken));

    public override async Task<ReleaseReply> ReleaseAsync(ReleaseRequest request, CancellationToken cancellationToken)
    {
        BeforeReleasing();
        var reply = await LoseReplyAsync(() => base.ReleaseAsync(request, cancellationToken));
        Interlocked.Increment(ref _releases);
        return reply;
    }

    public override async Task<IAsyncDisposable> SubscribeAsync(string nodeId, Action<LockNotification> handler, CancellationToken cancellationToken)
    {
        await BeforeListening();
        _handler = handler;
        return await base.SubscribeAsync(nodeId, Pass, cancellationToken);
    }

    /// <summary>Tells the node what a store tells it when a connection was lost and is back.</summary>
    public void Reconnect() => Pass(LockNotification.Reconnected);

    protected override async Task<T> CallAsync<T>(Func<Task<T>> call) => _isCut ? throw Away() : await call();

    private async Task<T> LoseReplyAsync<T>(Func<Task<T>> call)
    {
        var reply = await call();
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
