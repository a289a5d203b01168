using Coordination.Stores;
using Coordination.Tests.Leases;

namespace Coordination.Tests.Waiting;

/// <summary>Waiters, as those see them who wait.</summary>
public sealed class WaiterTests
{
    private static readonly TimeSpan LeaseDuration = TimeSpan.FromSeconds(15);
    private static readonly TimeSpan ClaimWindow = TimeSpan.FromSeconds(2);

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    [Promise("G8")]
    [Failure("F5")]
    public async Task A_cancelled_waiter_leaves_no_queue_entry_and_passes_on_what_it_is_granted()
    {
        await using var node = new TestNode();
        var cancelled = 0;
        for (var i = 0; i < 200; i++)
        {
            var held = await node.AcquireAsync();
            using var cancellation = new CancellationTokenSource();
            var waiting = node.Provider.GetLock("work").AcquireAsync(cancellation.Token);

            // The release and the cancellation race. In every other round the cancellation starts first: the pool can be too fast for it.
            Task ReleaseAsync() => Task.Run(() => held.ReleaseAsync(Token), Token);
            var release = i % 2 == 0 ? ReleaseAsync() : null;
            await cancellation.CancelAsync();
            release ??= ReleaseAsync();
            try
            {
                await (await waiting).DisposeAsync();
            }
            catch (OperationCanceledException)
            {
                // The cancellation came first, which is the case of interest.
                cancelled++;
            }

            await release;
            Assert.True(SpinWait.SpinUntil(() => node.Store.Count == 0, TimeSpan.FromMinutes(1)), "Something was left behind.");
        }

        Assert.NotEqual(0, cancelled);
    }

    [Fact]
    [Promise("G12")]
    public async Task A_wait_goes_on_by_itself_when_the_store_is_back()
    {
        await using var node = new TestNode();
        node.Store.IsAway = true;
        var waiting = node.AcquireAsync();
        node.Advance(TimeSpan.FromSeconds(30));
        Assert.False(waiting.IsCompleted);
        node.Store.IsAway = false;
        Assert.True(node.AdvanceUntil(() => waiting.IsCompleted, LeaseDuration));
        Assert.Equal(LeaseState.Held, (await waiting).State);
    }

    [Fact]
    [Promise("G7")]
    [Failure("F2")]
    public async Task A_waiter_that_hears_nothing_gets_the_lock_when_the_holders_time_is_up()
    {
        await using var node = new TestNode();
        node.Store.DropNotifications = true;
        // What a node begins with its first call would be taken for the waiter's sleep.
        await (await node.AcquireAsync()).DisposeAsync();
        var stranger = node.Store.GrantTo("work", "another-node", LeaseDuration);
        var token = (await node.Store.GetHolderAsync("work", Token))!.FencingToken;
        Task<ILockLease> waiting = null!;
        await node.UntilAsleepAsync(() => waiting = node.AcquireAsync());
        Assert.Equal(ReleaseReply.Released, await node.Store.ReleaseAsync(Requests.Release("work", stranger, ClaimWindow), Token));
        Assert.False(waiting.IsCompleted);
        Assert.True(node.AdvanceUntil(() => waiting.IsCompleted, LeaseDuration + TimeSpan.FromMilliseconds(250)));
        Assert.True((await waiting).FencingToken > token);
    }

    [Fact]
    [Promise("G7")]
    [Failure("F2")]
    public async Task A_waiter_that_missed_its_turn_asks_within_the_claim_window()
    {
        await using var node = new TestNode();
        node.Store.DropNotifications = true;
        // What a node begins with its first call would be taken for the waiter's sleep.
        await (await node.AcquireAsync()).DisposeAsync();
        var stranger = node.Store.GrantTo("work", "a-node", LeaseDuration);
        Task<ILockLease> waiting = null!;
        await node.UntilAsleepAsync(() => waiting = node.AcquireAsync());
        Assert.Equal(ReleaseReply.Released, await node.Store.ReleaseAsync(Requests.Release("work", stranger, ClaimWindow), Token));

        // Passed to the waiter, which did not hear of it, and granted to another when the claim window had ended.
        node.Store.GrantTo("work", "another-node", TimeSpan.FromHours(1));
        node.Advance(LeaseDuration + TimeSpan.FromMilliseconds(250));
        Assert.False(waiting.IsCompleted);

        // Free again, which nobody says either.
        Assert.True(node.Store.LoseLock("work"));
        Assert.True(node.AdvanceUntil(() => waiting.IsCompleted, TimeSpan.FromSeconds(1.1)));
        Assert.Equal(LeaseState.Held, (await waiting).State);
    }

    /// <summary>Replicas of two configurations. The holder is dead, and nobody tells.</summary>
    [Theory]
    [Promise("G4")]
    [Failure("F34")]
    [InlineData(2, 15)]
    [InlineData(30, 1)]
    public async Task The_lease_of_the_holder_counts_and_not_that_of_the_waiter(int held, int waited)
    {
        await using var node = new TestNode();
        var takenOverAfter = TimeSpan.FromSeconds(held);
        node.Store.GrantTo("work", "another-node", takenOverAfter);
        Task<ILockLease> waiting = null!;
        await node.UntilAsleepAsync(() => waiting = node.AcquireAsync(options: new LockOptions { LeaseDuration = TimeSpan.FromSeconds(waited) }));

        node.Advance(takenOverAfter - TimeSpan.FromMilliseconds(100));
        Assert.False(waiting.IsCompleted);
        Assert.True(node.AdvanceUntil(() => waiting.IsCompleted, TimeSpan.FromMilliseconds(350)));
        Assert.Equal(LeaseState.Held, (await waiting).State);
    }

    [Fact]
    public async Task A_wait_ends_when_the_provider_is_disposed()
    {
        var node = new TestNode();
        var held = await node.AcquireAsync();
        var waiting = node.AcquireAsync();
        await node.DisposeAsync();
        await Assert.ThrowsAsync<ObjectDisposedException>(() => waiting);
        GC.KeepAlive(held);
    }
}
