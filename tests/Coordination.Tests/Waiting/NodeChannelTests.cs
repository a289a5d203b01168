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
    private static readonly TimeSpan Bound = TimeSpan.FromMinutes(1);

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
        AssertTriesAgain(node, () => store.Subscriptions == 2);
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

    [Fact]
    [Promise("G7")]
    [Failure("F2")]
    public async Task What_was_missed_until_a_slow_subscription_stood_is_asked_for_when_it_stands()
    {
        await using var holder = new ClockedNode();
        var held = await holder.AcquireAsync();
        var store = new GatedStore(holder.Store);
        store.Acquiring.SetResult();
        await using var node = new ClockedNode(holder.Clock, actualStore: store);
        var waiting = await WaitWithoutSubscriptionAsync(node, store);
        Assert.Equal(ReleaseResult.Released, await held.ReleaseAsync(Token));
        Assert.False(waiting.IsCompleted);

        // The clock stands still, so the holder's time is not up.
        store.Subscribing.SetResult();
        await using var next = await waiting.WaitAsync(Bound, Token);
        Assert.True(next.FencingToken > held.FencingToken);
    }

    [Fact]
    [Promise("G7")]
    [Failure("F2")]
    public async Task A_subscription_that_hangs_keeps_no_waiter_from_the_lock()
    {
        await using var holder = new ClockedNode();
        var held = await holder.AcquireAsync();
        var store = new GatedStore(holder.Store);
        store.Acquiring.SetResult();
        await using var node = new ClockedNode(holder.Clock, actualStore: store);
        var waiting = await WaitWithoutSubscriptionAsync(node, store);
        Assert.Equal(ReleaseResult.Released, await held.ReleaseAsync(Token));
        Assert.True(node.AdvanceUntil(() => waiting.IsCompleted, TimeSpan.FromSeconds(15.25)));
        await (await waiting).DisposeAsync();
        store.Subscribing.SetResult();
    }

    [Fact]
    public async Task Disposal_ends_the_subscription()
    {
        var store = new GatedStore(new ControllableLockStore());
        store.Acquiring.SetResult();
        store.Subscribing.SetResult();
        var node = Build(store);
        await (await node.GetRequiredService<ILockProvider>().GetLock("work").AcquireAsync(Token)).DisposeAsync();
        await store.Subscribed.Task.WaitAsync(Bound, Token);
        await node.DisposeAsync();
        await store.Ended.Task.WaitAsync(Bound, Token);
    }

    [Fact]
    public async Task A_node_that_has_ended_tries_no_more_to_listen()
    {
        var clock = new TestClock();
        var store = new GatedStore(new ControllableLockStore(clock)) { SubscriptionsToFail = int.MaxValue };
        store.Acquiring.SetResult();
        var node = new ClockedNode(clock, actualStore: store);
        await (await node.AcquireAsync()).DisposeAsync();
        await node.DisposeAsync();
        Assert.True(SpinWait.SpinUntil(() => clock.Asleep == 0, Bound), "It sleeps until it tries again.");
    }

    [Fact]
    public async Task A_refused_subscription_fails_who_waits_until_it_is_set_right()
    {
        await using var holder = new ClockedNode();
        var held = await holder.AcquireAsync();
        var store = new GatedStore(holder.Store) { Refusal = new LockStoreException("No subscriptions here.", isTransient: false) };
        store.Acquiring.SetResult();
        store.Subscribing.SetResult();
        await using var node = new ClockedNode(holder.Clock, actualStore: store);
        var refused = await Assert.ThrowsAsync<LockStoreException>(() => node.AcquireAsync().WaitAsync(Bound, Token));
        Assert.Equal((store.Refusal.Message, false), (refused.Message, refused.IsTransient));

        // The node goes on trying by itself.
        store.Refusal = null;
        AssertTriesAgain(node, () => store.Subscribed.Task.IsCompleted);
        Task<ILockLease> waiting = null!;
        await node.UntilAsleepAsync(() => waiting = node.AcquireAsync());
        await held.ReleaseAsync(Token);
        await (await waiting.WaitAsync(Bound, Token)).DisposeAsync();
    }

    [Fact]
    public async Task A_subscription_that_is_refused_late_fails_who_still_waits_and_is_tried_again()
    {
        await using var holder = new ClockedNode();
        await using var held = await holder.AcquireAsync();
        var store = new GatedStore(holder.Store);
        store.Acquiring.SetResult();
        await using var node = new ClockedNode(holder.Clock, actualStore: store);
        var waiting = await WaitWithoutSubscriptionAsync(node, store);
        store.Subscribing.SetException(new LockStoreException("No subscriptions here.", isTransient: false));

        AssertTriesAgain(node, () => store.Subscriptions > 1);

        // It asks again when the time is up that the holder had when it asked before.
        Assert.True(node.AdvanceUntil(() => waiting.IsCompleted, TimeSpan.FromSeconds(30)));
        await Assert.ThrowsAsync<LockStoreException>(() => waiting);
    }

    [Fact]
    public async Task A_refused_subscription_is_said_once_however_many_leases_there_are()
    {
        var clock = new TestClock();
        var store = new GatedStore(new ControllableLockStore(clock)) { Refusal = new LockStoreException("No subscriptions here.", isTransient: false) };
        store.Acquiring.SetResult();
        store.Subscribing.SetResult();
        await using var node = new ClockedNode(clock, actualStore: store);
        for (var i = 0; i < 100; i++)
        {
            await (await node.AcquireAsync($"lock-{i}")).DisposeAsync();
        }

        node.Advance(TimeSpan.FromMinutes(1));
        Assert.InRange(store.Subscriptions, 5, 9);
        Assert.Single(node.Logs.GetSnapshot(), line => line.Id.Id == 1021);
    }

    [Fact]
    public async Task A_store_that_throws_what_it_should_not_at_a_subscription_is_waited_out()
    {
        await using var holder = new ClockedNode();
        var held = await holder.AcquireAsync();
        var store = new GatedStore(holder.Store);
        store.Acquiring.SetResult();
        store.Subscribing.SetException(new TimeoutException("A bug."));
        await using var node = new ClockedNode(holder.Clock, actualStore: store);
        Task<ILockLease> waiting = null!;
        await node.UntilAsleepAsync(() => waiting = node.AcquireAsync());
        AssertTriesAgain(node, () => store.Subscriptions > 1);
        await held.ReleaseAsync(Token);
        Assert.True(node.AdvanceUntil(() => waiting.IsCompleted, TimeSpan.FromSeconds(30)));
        await (await waiting).DisposeAsync();
    }

    /// <summary>Two waits of one owner that differ in their options are two waiters.</summary>
    [Fact]
    [Promise("G7", "G8")]
    public async Task What_is_heard_for_an_owner_wakes_all_of_its_waiters_but_those_that_gave_up()
    {
        await using var node = new ClockedNode();
        var held = await node.AcquireAsync();
        var owner = node.Provider.CreateOwner();
        using var cancellation = CancellationTokenSource.CreateLinkedTokenSource(Token);
        var waits = new List<Task<ILockLease>>();
        for (var i = 0; i < 3; i++)
        {
            var own = node.Provider.GetLock("work", new LockOptions { MaxHold = TimeSpan.FromHours(i + 1) }).WithOwner(owner);
            var token = i == 1 ? cancellation.Token : Token;
            await node.UntilAsleepAsync(() => waits.Add(own.AcquireAsync(token)));
        }

        var releases = node.Store.GetCallCount(StoreOperation.Release);
        await cancellation.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => waits[1].WaitAsync(Bound, Token));
        Assert.True(SpinWait.SpinUntil(() => node.Store.GetCallCount(StoreOperation.Release) > releases, Bound));
        await held.ReleaseAsync(Token);

        // The clock stands still, so who is not woken sleeps on.
        await (await waits[0].WaitAsync(Bound, Token)).DisposeAsync();
        await (await waits[2].WaitAsync(Bound, Token)).DisposeAsync();
    }

    /// <summary>Begins a wait that goes on without the subscription, which takes too long, and sleeps.</summary>
    private static async Task<Task<ILockLease>> WaitWithoutSubscriptionAsync(ClockedNode node, GatedStore store)
    {
        var waiting = node.AcquireAsync();
        Assert.True(SpinWait.SpinUntil(() => store.Subscriptions == 1 && store.Asks == 1, Bound));
        await node.UntilAsleepAsync(() => node.Advance(TimeSpan.FromMilliseconds(300)));
        Assert.True(SpinWait.SpinUntil(() => store.Asks == 2, Bound), "It waits for the subscription.");
        return waiting;
    }

    /// <summary>However far the clock has moved before the node began to wait for its next try.</summary>
    private static void AssertTriesAgain(ClockedNode node, Func<bool> hasTried)
    {
        Assert.True(SpinWait.SpinUntil(AdvanceAndLook, Bound), "It does not try again.");

        bool AdvanceAndLook()
        {
            node.Advance(TimeSpan.FromMilliseconds(100));
            return hasTried();
        }
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
        private int _asks;

        public TaskCompletionSource Acquiring { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public TaskCompletionSource Subscribing { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public TaskCompletionSource Ended { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public TaskCompletionSource ReleaseBegun { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public TaskCompletionSource? Releasing { get; set; }

        public int SubscriptionsToFail { get; init; }

        /// <summary>What every subscription is refused with; null for none.</summary>
        public LockStoreException? Refusal { get; set; }

        public TaskCompletionSource Subscribed { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public int Asks => Volatile.Read(ref _asks);

        public int Subscriptions => Volatile.Read(ref _subscriptions);

        public override async Task<AcquireReply> AcquireAsync(AcquireRequest request, CancellationToken cancellationToken)
        {
            await Acquiring.Task;
            var reply = await base.AcquireAsync(request, cancellationToken);
            Interlocked.Increment(ref _asks);
            return reply;
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
            var subscription = Refusal is null ? await base.SubscribeAsync(nodeId, handler, cancellationToken) : throw Refusal;
            Subscribed.TrySetResult();
            return new Subscription(subscription, Ended);
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
