using Coordination.Stores;
using Coordination.Testing;
using Coordination.TestKit.Clocks;
using Coordination.TestKit.Nodes;
using Coordination.TestKit.Stores;
using Microsoft.Extensions.DependencyInjection;

namespace Coordination.Tests.Waiting;

/// <summary>The one subscription of a node: from its first lease or wait on, until it ends, whatever comes in between.</summary>
public sealed class NodeChannelTests
{
    private static readonly TimeSpan Bound = TimeSpan.FromSeconds(10);

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_node_listens_from_its_first_lease_on_and_hears_of_a_revocation_at_once()
    {
        await using var node = new ClockedNode();
        var lease = (await node.Provider.GetLock("work").TryAcquireAsync(Token))!;
        Assert.True(await node.Services.GetRequiredService<ILockInspector>().RevokeAsync("work", lease.FencingToken, Token));
        Assert.Equal(LeaseLossReason.Revoked, lease.LossReason);
    }

    [Fact]
    public async Task A_holder_whose_first_subscription_failed_listens_when_the_store_is_back()
    {
        var clock = new TestClock();
        var store = new GatedStore(new ControllableLockStore(clock)) { SubscriptionsToFail = 1 };
        store.Acquiring.SetResult();
        store.Subscribing.SetResult();
        await using var node = new ClockedNode(clock, actualStore: store);
        var lease = (await node.Provider.GetLock("work").TryAcquireAsync(Token))!;
        Assert.True(node.AdvanceUntil(() => store.Subscriptions == 2, TimeSpan.FromSeconds(2)));
        Assert.True(await node.Services.GetRequiredService<ILockInspector>().RevokeAsync("work", lease.FencingToken, Token));
        Assert.Equal(LeaseLossReason.Revoked, lease.LossReason);
    }

    [Fact]
    public async Task A_grant_that_comes_after_the_disposal_makes_no_subscription()
    {
        var store = new GatedStore(new ControllableLockStore());
        var node = Build(store);
        var acquiring = node.GetRequiredService<ILockProvider>().GetLock("work").TryAcquireAsync(Token);
        await node.DisposeAsync();
        store.Acquiring.SetResult();
        var lease = await acquiring.WaitAsync(Bound, Token);
        Assert.Equal(0, store.Subscriptions);
        GC.KeepAlive(lease);
    }

    [Fact]
    public async Task A_subscription_that_is_made_after_the_disposal_is_ended()
    {
        var store = new GatedStore(new ControllableLockStore());
        store.Acquiring.SetResult();
        var node = Build(store);
        await (await node.GetRequiredService<ILockProvider>().GetLock("work").AcquireAsync(Token)).DisposeAsync();
        await node.DisposeAsync();
        Assert.Equal(1, store.Subscriptions);
        store.Subscribing.SetResult();
        await store.Ended.Task.WaitAsync(Bound, Token);
    }

    [Fact]
    [Promise("G8")]
    public async Task A_cancelled_call_does_not_wait_for_a_slow_subscription()
    {
        await using var holder = new ClockedNode();
        await using var held = await holder.AcquireAsync();
        var store = new GatedStore(holder.Store);
        store.Acquiring.SetResult();
        await using var node = new ClockedNode(holder.Clock, actualStore: store);
        using var cancellation = CancellationTokenSource.CreateLinkedTokenSource(Token);
        var waiting = node.Provider.GetLock("work").AcquireAsync(cancellation.Token);
        Assert.True(SpinWait.SpinUntil(() => store.Subscriptions == 1, Bound));

        // The clock stands still, so the moment that a subscription is waited for does not end.
        await cancellation.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => waiting.WaitAsync(Bound, Token));
        store.Subscribing.SetResult();
    }

    [Fact]
    [Promise("G8")]
    public async Task Disposal_waits_for_the_undo_of_a_wait()
    {
        await using var holder = new ClockedNode();
        await using var held = await holder.AcquireAsync();
        var store = new GatedStore(holder.Store);
        store.Acquiring.SetResult();
        store.Subscribing.SetResult();
        var node = new ClockedNode(holder.Clock, actualStore: store);
        Task<ILockLease> waiting = null!;
        await node.UntilAsleepAsync(() => waiting = node.Provider.GetLock("work").AcquireAsync(Token));
        store.Releasing = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var disposal = ((IAsyncDisposable)node.Provider).DisposeAsync().AsTask();
        await Assert.ThrowsAsync<ObjectDisposedException>(() => waiting.WaitAsync(Bound, Token));
        await store.ReleaseBegun.Task.WaitAsync(Bound, Token);
        Assert.False(disposal.IsCompleted);
        store.Releasing.SetResult();
        await disposal.WaitAsync(Bound, Token);
        await node.DisposeAsync();
    }

    private static ServiceProvider Build(ILockStore store)
    {
        var services = new ServiceCollection();
        services.AddCoordination();
        services.AddSingleton(store);
        return services.BuildServiceProvider();
    }

    /// <summary>A store whose replies wait for the test.</summary>
    private sealed class GatedStore(ILockStore inner) : DelegatingLockStore(inner)
    {
        private int _subscriptions;

        public TaskCompletionSource Acquiring { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public TaskCompletionSource Subscribing { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public TaskCompletionSource Ended { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public TaskCompletionSource ReleaseBegun { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public TaskCompletionSource? Releasing { get; set; }

        public int SubscriptionsToFail { get; init; }

        public int Subscriptions => Volatile.Read(ref _subscriptions);

        public override async Task<AcquireReply> AcquireAsync(AcquireRequest request, CancellationToken cancellationToken)
        {
            await Acquiring.Task;
            return await base.AcquireAsync(request, cancellationToken);
        }

        public override async Task<ReleaseReply> ReleaseAsync(ReleaseRequest request, CancellationToken cancellationToken)
        {
            ReleaseBegun.TrySetResult();
            await (Releasing?.Task ?? Task.CompletedTask);
            return await base.ReleaseAsync(request, cancellationToken);
        }

        public override async Task<IAsyncDisposable> SubscribeAsync(string nodeId, Action<LockNotification> handler, CancellationToken cancellationToken)
        {
            if (Interlocked.Increment(ref _subscriptions) <= SubscriptionsToFail)
            {
                throw new LockStoreException("The store is away.", isTransient: true);
            }

            await Subscribing.Task;
            return new Subscription(await base.SubscribeAsync(nodeId, handler, cancellationToken), Ended);
        }

        private sealed class Subscription(IAsyncDisposable inner, TaskCompletionSource ended) : IAsyncDisposable
        {
            public async ValueTask DisposeAsync()
            {
                await inner.DisposeAsync();
                ended.TrySetResult();
            }
        }
    }
}
