using System.Collections.Concurrent;
using Coordination.Stores;
using Coordination.TestKit.Stores;

namespace Coordination.Hosting.Tests.Nodes;

/// <summary>A node's way to the store, which can be cut, made to hang, or held up at a gate.</summary>
internal sealed class StoreWithFaults(ILockStore inner) : DelegatingLockStore(inner)
{
    private readonly ConcurrentDictionary<LockOwner, bool> _owners = [];
    private volatile int _tries;
    private volatile int _questions;
    private volatile bool _isQueued;

    /// <summary>What every call throws; null for none.</summary>
    public volatile Exception? Fault;

    /// <summary>What each acquisition throws, and nothing else; null for none.</summary>
    public volatile Exception? AcquireFault;

    /// <summary>Acquisitions wait for this.</summary>
    public volatile Task AcquireGate = Task.CompletedTask;

    /// <summary>Acquisitions are applied, and their replies lost.</summary>
    public volatile bool LosesGrants;

    /// <summary>What each release throws, and nothing else; null for none.</summary>
    public volatile Exception? ReleaseFault;

    /// <summary>What the store replies to each release, which it does not apply; null for what it says by itself.</summary>
    public volatile object? ReleaseReplies;

    /// <summary>Releases wait for this.</summary>
    public volatile Task ReleaseGate = Task.CompletedTask;

    /// <summary>What each inspection throws, and nothing else; null for none.</summary>
    public volatile Exception? InspectFault;

    /// <summary>Inspections wait for this, as in a store that does not look at its token.</summary>
    public volatile Task InspectGate = Task.CompletedTask;

    /// <summary>Pings wait for this.</summary>
    public volatile Task PingGate = Task.CompletedTask;

    /// <summary>How often a waiter asked for a lock, or to be told of one.</summary>
    public int Tries => _tries;

    /// <summary>How many calls for locks there were, however often each was repeated.</summary>
    public int Calls => _owners.Count;

    /// <summary>How often the node asked who holds a lock.</summary>
    public int Questions => _questions;

    /// <summary>Whether the store has the node in a queue, by its last reply.</summary>
    public bool IsQueued => _isQueued;

    public static LockStoreException Away => new("The connection is gone.", isTransient: true, new InvalidOperationException("password=hunter2"));

    public override async Task<AcquireReply> AcquireAsync(AcquireRequest request, CancellationToken cancellationToken)
    {
        Interlocked.Increment(ref _tries);
        _owners.TryAdd(request.Owner, true);
        if (AcquireFault is { } fault)
        {
            throw fault;
        }

        await AcquireGate.WaitAsync(cancellationToken);
        var reply = await base.AcquireAsync(request, cancellationToken);
        _isQueued = request.Wait && !reply.IsGranted;
        return LosesGrants ? throw Away : reply;
    }

    public override async Task<ReleaseReply> ReleaseAsync(ReleaseRequest request, CancellationToken cancellationToken)
    {
        await ReleaseGate.WaitAsync(cancellationToken);
        if (ReleaseFault is { } fault)
        {
            throw fault;
        }

        if (ReleaseReplies is ReleaseReply reply)
        {
            return reply;
        }

        return await base.ReleaseAsync(request, cancellationToken);
    }

    public override Task<IAsyncDisposable> SubscribeAsync(string nodeId, Action<LockNotification> handler, CancellationToken cancellationToken)
    {
        Interlocked.Increment(ref _tries);
        return base.SubscribeAsync(nodeId, handler, cancellationToken);
    }

    public override Task<LockHolder?> GetHolderAsync(string lockName, CancellationToken cancellationToken)
    {
        Interlocked.Increment(ref _questions);
        return base.GetHolderAsync(lockName, cancellationToken);
    }

    public override async Task<LockInspection> InspectAsync(string lockName, int maxWaiters, CancellationToken cancellationToken)
    {
        Interlocked.Increment(ref _questions);
        await InspectGate;
        if (InspectFault is { } fault)
        {
            throw fault;
        }

        return await base.InspectAsync(lockName, maxWaiters, cancellationToken);
    }

    public override async Task PingAsync(CancellationToken cancellationToken)
    {
        // As a store that does not look at its token.
        await PingGate;
        await base.PingAsync(cancellationToken);
    }

    protected override Task<T> CallAsync<T>(Func<Task<T>> ask) => Fault is { } fault ? Task.FromException<T>(fault) : ask();
}
