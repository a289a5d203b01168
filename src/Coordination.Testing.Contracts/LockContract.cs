using Coordination.Stores;
using Coordination.Testing.Contracts.Nodes;
using Coordination.Testing.Contracts.Observations;
using Coordination.Testing.Contracts.Waiting;

namespace Coordination.Testing.Contracts;

/// <summary>
/// What users are promised of locks, on several nodes that share a store. The author of a store inherits it, and says how a node gets
/// the store; the tests come with it. <see cref="LockStoreContract"/> asks the same store directly.
/// </summary>
/// <remarks>
/// Leases and claim windows are long where they must not run out during a test, so that whoever waits one out fails the bound. Every
/// test uses lock names of its own, so that tests may share a server.
/// </remarks>
public abstract partial class LockContract : IAsyncLifetime
{
    /// <summary>Outlasts every test.</summary>
    private static readonly TimeSpan Long = NodesOfTest.Long;

    /// <summary>How long anything may take before the test fails. Shorter than <see cref="Long"/>, which it must not wait out.</summary>
    private static readonly TimeSpan Bound = TimeSpan.FromSeconds(10);

    private NodesOfTest? _nodes;

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    /// <summary>A name that no other test uses, so that tests may share a server.</summary>
    private string Name { get; } = "contract-" + Guid.NewGuid().ToString("N")[..8];

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

    /// <summary>How often tests that look for races repeat themselves: 200 times, and a few with <see cref="DropsNotifications"/>.</summary>
    protected virtual int Cycles => 200;

    /// <summary>Chooses the store for a node, as <c>UseRedis</c> does; all nodes of a test share what it keeps.</summary>
    /// <param name="builder">Of the node.</param>
    protected abstract void UseStore(ICoordinationBuilder builder);

    /// <summary>
    /// Makes the store lose everything it knows of this test's locks, tokens included, and nothing of another test's. Tests that need it
    /// are skipped where it is not overridden.
    /// </summary>
    protected virtual Task LoseAllDataAsync()
    {
        Assert.Skip("This store has no way to lose its data.");
        return Task.CompletedTask;
    }

    /// <summary>
    /// Shows that nothing but the last token is left of a lock: it is free, and nobody stands in its queue. Override it to look inside the
    /// store as well, and call the base.
    /// </summary>
    /// <param name="lockName">The lock.</param>
    protected virtual Task AssertNothingLeftAsync(string lockName) =>
        Eventually.IsTrueAsync(() => Leftovers.IsNothingAsync(Observer.Store, lockName), Bound, $"Nothing is left of the lock '{lockName}'.");

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

    /// <summary>A holder or waiter that died right after its request: an owner that nobody renews.</summary>
    private Task<AcquireReply> AskAndDieAsync(Node node, string deadNode, TimeSpan lease, TimeSpan claimWindow) =>
        node.Store.AcquireAsync(Requests.Acquire(Name, new LockOwner(deadNode, 1), lease, wait: true, claimWindow: claimWindow), Cancellation);

    private async Task<ILockLease> AcquireAsync(Node node, LockOptions? options = null) =>
        await node.GetLock(Name, options).AcquireAsync(Cancellation).WaitAsync(Bound, Cancellation);

    private async Task<ILockLease?> TryAcquireAsync(Node node) =>
        await node.GetLock(Name).TryAcquireAsync(Cancellation).WaitAsync(Bound, Cancellation);

    private static async Task<ReleaseResult> ReleaseAsync(ILockLease lease) => await lease.ReleaseAsync(Cancellation).WaitAsync(Bound, Cancellation);

    /// <summary>Begins to wait, and returns when the waiter is in the queue behind those who were there.</summary>
    private async Task<Task<ILockLease>> QueueAsync(Node node, ILock? @lock = null, CancellationToken? cancellation = null)
    {
        var before = await CountAsync();
        var waiting = (@lock ?? node.GetLock(Name)).AcquireAsync(cancellation ?? Cancellation);
        await Eventually.IsTrueAsync(async () => await CountAsync() > before, Bound, "The waiter is in the queue.");
        return waiting;

        // One that has the lock already may still stand there, until it has claimed it.
        async Task<int> CountAsync() => (await Observer.Inspector.InspectAsync(Name, cancellationToken: Cancellation)).Waiters.Count(waiter => waiter.IsAlive);
    }

    /// <summary>Waits until some time has passed on the store's own clock: a lock that is granted now for that long has lapsed.</summary>
    private Task PassAsync(TimeSpan time) => Nodes.PassAsync(Name + "-clock", time, Bound, Cancellation);
}
