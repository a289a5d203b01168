using System.Collections.Concurrent;
using Coordination.TestKit.Nodes;
using Coordination.TestKit.Waiting;
using Medallion.Threading;
using Microsoft.Extensions.DependencyInjection;

namespace Coordination.DistributedLock.Tests.Contract;

/// <summary>
/// What code that knows the interfaces of DistributedLock only relies on, on two nodes that share a store. A store's tests inherit it.
/// </summary>
public abstract partial class DistributedLockContract : IAsyncLifetime
{
    /// <summary>Outlasts every test.</summary>
    private static readonly TimeSpan Long = TimeSpan.FromMinutes(5);

    /// <summary>How long anything may take before the test fails. Shorter than <see cref="Long"/> and <see cref="ClaimWindow"/>, which it must not wait out.</summary>
    private static readonly TimeSpan Bound = TimeSpan.FromSeconds(40);

    /// <summary>The longest that there is.</summary>
    private static readonly TimeSpan ClaimWindow = TimeSpan.FromMinutes(1);

    /// <summary>Long enough to be put into the queue.</summary>
    private static readonly TimeSpan Moment = TimeSpan.FromMilliseconds(200);

    private readonly ConcurrentStack<Node> _nodes = new();
    private readonly Lazy<Node> _first;
    private readonly Lazy<Node> _second;

    /// <summary>Each node is started by the first who asks for it, and many may ask at once.</summary>
    protected DistributedLockContract()
    {
        _first = new Lazy<Node>(() => StartNode());
        _second = new Lazy<Node>(() => StartNode());
    }

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    /// <summary>A name that no other test uses, so that tests may share a server.</summary>
    private string Name { get; } = "adapter-" + Guid.NewGuid().ToString("N")[..8];

    private Node First => _first.Value;

    private Node Second => _second.Value;

    /// <summary>A lock of the test's name on the first node. Each is an object of its own.</summary>
    private IDistributedLock Mine => LocksOf(First).CreateLock(Name);

    /// <summary>The same lock on the other node.</summary>
    private IDistributedLock Theirs => LocksOf(Second).CreateLock(Name);

    /// <summary>Chooses the store for a node; all nodes of a test share what it keeps.</summary>
    protected abstract void UseStore(ICoordinationBuilder builder);

    /// <summary>Makes the store lose everything it knows of this test's locks, and nothing of another test's.</summary>
    protected abstract Task LoseAllDataAsync();

    public virtual ValueTask InitializeAsync() => ValueTask.CompletedTask;

    public virtual async ValueTask DisposeAsync()
    {
        GC.SuppressFinalize(this);
        while (_nodes.TryPop(out var node))
        {
            await node.DisposeAsync();
        }
    }

    private static IDistributedLockProvider LocksOf(Node node) => node.Services.GetRequiredService<IDistributedLockProvider>();

    private Node StartNode(TimeSpan? lease = null, TimeSpan? renewalInterval = null, Func<string, LockOptions?>? lockOptions = null, Action<ICoordinationBuilder>? change = null)
    {
        var node = new Node(
            builder =>
            {
                UseStore(builder);
                change?.Invoke(builder);
                builder.AddDistributedLockProvider(lockOptions);
            },
            options =>
            {
                options.LeaseDuration = lease ?? Long;
                options.RenewalInterval = renewalInterval;
                options.ClaimWindow = ClaimWindow;
            });
        _nodes.Push(node);
        return node;
    }

    /// <summary>Runs what blocks, on a thread of its own and with a bound.</summary>
    private static Task<T> BlockAsync<T>(Func<T> blocking) =>
        Task.Factory.StartNew(blocking, Cancellation, TaskCreationOptions.LongRunning, TaskScheduler.Default).WaitAsync(Bound, Cancellation);

    private static Task<bool> BlockAsync(Action blocking) => BlockAsync(() =>
    {
        blocking();
        return true;
    });

    private static async Task<IDistributedSynchronizationHandle> AcquireAsync(IDistributedLock @lock) =>
        await @lock.AcquireAsync(Long, Cancellation).AsTask().WaitAsync(Bound, Cancellation);

    private async Task UntilWaitedForAsync() =>
        await Eventually.IsTrueAsync(async () => (await InspectAsync()).WaiterCount > 0, Bound, "Somebody stands in the queue.");

    private async Task UntilNobodyWaitsAsync() =>
        await Eventually.IsTrueAsync(async () => (await InspectAsync()).WaiterCount == 0, Bound, "Nobody stands in the queue.");

    private Task AssertNothingLeftAsync() =>
        Eventually.IsTrueAsync(async () => await InspectAsync() is { Holder: null, WaiterCount: 0 }, Bound, $"Nothing is left of the lock '{Name}'.");

    private Task<LockInspection> InspectAsync() => First.Inspector.InspectAsync(Name, cancellationToken: Cancellation);

    private static ParallelOptions AtOnce(int count) => new() { MaxDegreeOfParallelism = count, CancellationToken = Cancellation };
}
