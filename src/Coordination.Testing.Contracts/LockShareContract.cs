using Coordination.Stores;
using Coordination.Testing.Contracts.Nodes;
using Coordination.Testing.Contracts.Observations;
using Coordination.Testing.Contracts.Waiting;

namespace Coordination.Testing.Contracts;

/// <summary>
/// What users are promised of semaphores and of locks for readers and writers, on several nodes that share a store. The author of a store that keeps them inherits it beside
/// <see cref="LockContract"/>, and says how a node gets the store; the tests come with it. <see cref="LockStoreShareContract"/> asks the same store directly.
/// </summary>
/// <remarks>
/// <para>It is for stores whose <see cref="ILockStore.KeepsShares"/> is true. Nothing is skipped where it is false: then every test fails, because the provider refuses such a lock. A store of
/// exclusive locks alone does not inherit it.</para>
/// <para>Leases and claim windows are long where they must not run out during a test, so that whoever waits one out fails the bound. Every
/// test uses lock names of its own, so that tests may share a server.</para>
/// </remarks>
public abstract partial class LockShareContract : IAsyncLifetime
{
    /// <summary>Outlasts every test.</summary>
    private static readonly TimeSpan Long = NodesOfTest.Long;

    /// <summary>How long anything may take before the test fails. Shorter than <see cref="Long"/>, which it must not wait out.</summary>
    private static readonly TimeSpan Bound = TimeSpan.FromSeconds(10);

    private NodesOfTest? _nodes;

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    /// <summary>A name that no other test uses, so that tests may share a server.</summary>
    private string Name { get; } = "shares-" + Guid.NewGuid().ToString("N")[..8];

    /// <summary>A node that is only looked through. Its calls have more time than those of the nodes whose leases are short.</summary>
    private Node Observer => Nodes.Observer;

    private NodesOfTest Nodes => _nodes ??= new NodesOfTest(UseStore, NodeLease, DropsNotifications);

    /// <summary>
    /// The lease duration of the nodes, where a test sets no other. 30 seconds, longer than a test takes; with
    /// <see cref="DropsNotifications"/> a second or two, because waiters go by it.
    /// </summary>
    protected virtual TimeSpan NodeLease => Long;

    /// <summary>
    /// Whether no node hears anything of the store, so that waiters go by the time that holders have left. False; true in a second class
    /// shows that notifications are no more than a speed-up.
    /// </summary>
    protected virtual bool DropsNotifications => false;

    /// <summary>How often tests that look for races repeat themselves: 100 times, and a few with <see cref="DropsNotifications"/>.</summary>
    protected virtual int Cycles => 100;

    /// <summary>Chooses the store for a node, as <c>UseRedis</c> does; all nodes of a test share what it keeps.</summary>
    /// <param name="builder">Of the node.</param>
    protected abstract void UseStore(ICoordinationBuilder builder);

    /// <summary>
    /// Shows that nothing but the last token is left of a lock: it is free, and nobody stands in its queue. Override it to look inside the
    /// store as well, and call the base.
    /// </summary>
    /// <param name="lockName">The lock.</param>
    protected virtual async Task AssertNothingLeftAsync(string lockName)
    {
        await Eventually.IsTrueAsync(async () => await InspectAsync() is { Holder: null, WaiterCount: 0 }, Bound, $"Nobody holds the lock '{lockName}' or waits for it.");
        await Eventually.IsTrueAsync(() => Leftovers.IsNothingAsync(Observer.Store, lockName), Bound, $"Nothing is left of the lock '{lockName}'.");
    }

    /// <summary>Prepares a test: override it to get a server ready, and call the base.</summary>
    public virtual ValueTask InitializeAsync() => ValueTask.CompletedTask;

    /// <summary>Ends the nodes of the test. Whoever overrides it calls the base first, and ends what the nodes used after that.</summary>
    public virtual async ValueTask DisposeAsync()
    {
        GC.SuppressFinalize(this);
        if (_nodes is not null)
        {
            await _nodes.DisposeAsync();
        }
    }

    /// <summary>Starts a node, which ends with the test.</summary>
    private Node StartNode(Action<CoordinationOptions>? configure = null) => Nodes.Start(configure);

    /// <summary>Starts a node whose way to the store is in the test's hand.</summary>
    private (Node Node, StoreLink Link) StartLinkedNode(Action<CoordinationOptions>? configure = null) => Nodes.StartLinked(configure);

    private ILock Semaphore(Node node, int permits, LockOptions? options = null) => node.Provider.GetSemaphore(Name, permits, options);

    private IReaderWriterLock ReaderWriter(Node node, LockOptions? options = null) => node.Provider.GetReaderWriterLock(Name, options);

    private static async Task<ILockLease> AcquireAsync(ILock @lock) => await @lock.AcquireAsync(Cancellation).WaitAsync(Bound, Cancellation);

    private static async Task<ILockLease?> TryAsync(ILock @lock) => await @lock.TryAcquireAsync(Cancellation).WaitAsync(Bound, Cancellation);

    private static async Task<ReleaseResult> ReleaseAsync(ILockLease lease) => await lease.ReleaseAsync(Cancellation).WaitAsync(Bound, Cancellation);

    private Task<LockInspection> InspectAsync() => Observer.Inspector.InspectAsync(Name, cancellationToken: Cancellation);

    /// <summary>Begins to wait, and returns when the waiter is in the queue.</summary>
    private async Task<Task<ILockLease>> QueueAsync(ILock @lock, CancellationToken? cancellation = null)
    {
        var before = await CountAsync();
        var waiting = @lock.AcquireAsync(cancellation ?? Cancellation);
        await Eventually.IsTrueAsync(async () => await CountAsync() > before, Bound, "The waiter is in the queue.");
        return waiting;

        // One that has the lock already may still stand there, until it has claimed it.
        async Task<int> CountAsync() => (await InspectAsync()).Waiters.Count(waiter => waiter.IsAlive);
    }

    /// <summary>Those and no others hold the lock, in whatever order.</summary>
    private async Task AssertHeldByAsync(params ILockLease[] leases)
    {
        Assert.Equal(leases.Select(lease => lease.FencingToken).Order(), (await InspectAsync()).Holders.Select(holder => holder.FencingToken).Order());
        Assert.All(leases, lease => Assert.Equal(LeaseState.Held, lease.State));
    }
}
