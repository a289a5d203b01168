using System.Collections.Concurrent;
using Coordination.DistributedLock.Tests.Ways;
using Coordination.TestKit.Nodes;
using Coordination.TestKit.Waiting;
using Microsoft.Extensions.DependencyInjection;

namespace Coordination.DistributedLock.Tests.Contract;

/// <summary>Two nodes that share a store, and a name, for what code that knows the interfaces of DistributedLock only relies on.</summary>
/// <param name="store">What the nodes of a test share.</param>
public abstract class AdapterContract(SharedStore store) : IAsyncLifetime
{
    /// <summary>Outlasts every test.</summary>
    protected static readonly TimeSpan LongTime = TimeSpan.FromMinutes(5);

    /// <summary>How long anything may take before the test fails. Shorter than <see cref="LongTime"/> and <see cref="ClaimWindow"/>, which it must not wait out.</summary>
    protected static readonly TimeSpan Bound = TimeSpan.FromSeconds(40);

    /// <summary>The longest that there is.</summary>
    private static readonly TimeSpan ClaimWindow = TimeSpan.FromMinutes(1);

    /// <summary>Long enough to be put into the queue.</summary>
    protected static readonly TimeSpan Moment = TimeSpan.FromMilliseconds(200);

    private readonly ConcurrentStack<Node> _nodes = new();
    private readonly Lock _gate = new();
    private Node? _first;
    private Node? _second;

    protected static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    /// <summary>A name that no other test uses, so that tests may share a server.</summary>
    protected string Name { get; } = "adapter-" + Guid.NewGuid().ToString("N")[..8];

    protected Node First => Started(ref _first);

    protected Node Second => Started(ref _second);

    public ValueTask InitializeAsync() => store.InitializeAsync();

    public async ValueTask DisposeAsync()
    {
        GC.SuppressFinalize(this);
        while (_nodes.TryPop(out var node))
        {
            await node.DisposeAsync();
        }
    }

    protected static ParallelOptions AtOnce(int count) => new() { MaxDegreeOfParallelism = count, CancellationToken = Cancellation };

    /// <summary>Runs what blocks, on a thread of its own and with a bound.</summary>
    protected static Task<T> BlockAsync<T>(Func<T> blocking) =>
        Task.Factory.StartNew(blocking, Cancellation, TaskCreationOptions.LongRunning, TaskScheduler.Default).WaitAsync(Bound, Cancellation);

    protected static Task<bool> BlockAsync(Action blocking) => BlockAsync(() =>
    {
        blocking();
        return true;
    });

    protected Node StartNode(TimeSpan? lease = null, TimeSpan? renewalInterval = null, Func<string, LockOptions?>? lockOptions = null, Action<ICoordinationBuilder>? change = null)
    {
        var node = new Node(
            builder =>
            {
                store.Use(builder);
                change?.Invoke(builder);
                builder.AddDistributedLockProvider(lockOptions);
            },
            options =>
            {
                options.LeaseDuration = lease ?? LongTime;
                options.RenewalInterval = renewalInterval;
                options.ClaimWindow = ClaimWindow;
            });
        _nodes.Push(node);
        return node;
    }

    protected Task LoseAllDataAsync() => store.LoseAllDataAsync();

    protected async Task UntilWaitedForAsync(int waiters = 1) =>
        await Eventually.IsTrueAsync(async () => (await InspectAsync()).WaiterCount >= waiters, Bound, $"As many as {waiters} stand in the queue.");

    protected async Task UntilNobodyWaitsAsync() =>
        await Eventually.IsTrueAsync(async () => (await InspectAsync()).WaiterCount == 0, Bound, "Nobody stands in the queue.");

    protected Task AssertNothingLeftAsync() =>
        Eventually.IsTrueAsync(async () => await InspectAsync() is { Holder: null, WaiterCount: 0 }, Bound, $"Nothing is left of the lock '{Name}'.");

    protected Task<LockInspection> InspectAsync() => First.Inspector.InspectAsync(Name, cancellationToken: Cancellation);

    /// <summary>Of what others hold until the end of this.</summary>
    protected async Task AssertWaitsEndAsync(IReadOnlyList<Way> ways)
    {
        foreach (var way in ways)
        {
            Assert.Throws<ArgumentOutOfRangeException>("timeout", () => way.Call(TimeSpan.FromSeconds(-2), new CancellationToken(canceled: true)));
        }

        // By a token that is cancelled already: it comes out of the task, and not from the call, where there is one.
        await AssertCancelledAsync(ways, () => Task.CompletedTask, new CancellationToken(canceled: true));

        // By the time.
        foreach (var timeout in (TimeSpan[])[TimeSpan.Zero, Moment])
        {
            await Task.WhenAll(ways.Select(way => AssertTimeIsUpAsync(way, timeout)));
        }

        // By a token that is cancelled while it waits.
        using var cancellation = CancellationTokenSource.CreateLinkedTokenSource(Cancellation);
        await AssertCancelledAsync(ways, CancelWhenTheyWaitAsync, cancellation.Token);
        await UntilNobodyWaitsAsync();

        async Task CancelWhenTheyWaitAsync()
        {
            await UntilWaitedForAsync();
            await cancellation.CancelAsync();
        }
    }

    private static async Task AssertCancelledAsync(IReadOnlyList<Way> ways, Func<Task> cancelAsync, CancellationToken cancellationToken)
    {
        var waiting = ways.Select(way => way.BeginAsync(LongTime, cancellationToken)).ToList();
        await cancelAsync();
        foreach (var (way, acquiring) in ways.Zip(waiting))
        {
            await Assert.ThrowsAnyAsync<OperationCanceledException>(() => acquiring.WaitAsync(Bound, Cancellation));
            Assert.True(acquiring.IsCanceled || !way.IsAsynchronous, $"{way}: {acquiring.Status}");
        }
    }

    private static async Task AssertTimeIsUpAsync(Way way, TimeSpan timeout)
    {
        var acquiring = way.BeginAsync(timeout, Cancellation).WaitAsync(Bound, Cancellation);
        if (way.OnlyTries)
        {
            Assert.True(await acquiring is null, $"{way} with {timeout}");
        }
        else
        {
            await Assert.ThrowsAsync<TimeoutException>(() => acquiring);
        }
    }

    /// <summary>Each node is started by the first who asks for it, and many may ask at once.</summary>
    private Node Started(ref Node? node)
    {
        lock (_gate)
        {
            return node ??= StartNode();
        }
    }
}
