using Coordination.Stores;
using Coordination.Testing;
using Coordination.TestKit.Nodes;
using Coordination.TestKit.Stores;

namespace Coordination.Tests.Leases;

public sealed class ReleaseTests
{
    private static readonly TimeSpan RenewalInterval = TimeSpan.FromSeconds(5);

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    [Failure("F20")]
    public async Task A_release_waits_for_the_renewal_under_way()
    {
        await using var node = new TestNode();
        var lease = await node.AcquireAsync();
        node.Advance(RenewalInterval - TimeSpan.FromMilliseconds(50));
        node.Store.Hang = true;
        Assert.True(node.AdvanceUntil(() => node.Store.GetCallCount(StoreOperation.Renew) == 1, TimeSpan.FromSeconds(1)));
        var release = lease.ReleaseAsync(Token);
        Assert.Equal(LeaseState.Released, lease.State);
        Assert.Equal(0, node.Store.GetCallCount(StoreOperation.Release));
        node.Store.Hang = false;
        Assert.Equal(ReleaseResult.Released, await release.WaitAsync(TimeSpan.FromMinutes(1), Token));
        Assert.Equal(1, node.Store.GetCallCount(StoreOperation.Release));
        Assert.Null(await node.Store.GetHolderAsync("work", Token));
    }

    [Fact]
    [Failure("F23")]
    public async Task A_release_is_sent_also_when_its_token_is_cancelled_already()
    {
        await using var node = new TestNode();
        var lease = await node.AcquireAsync();
        node.Store.Hang = true;
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => lease.ReleaseAsync(new CancellationToken(canceled: true)));
        node.Store.Hang = false;
        Assert.True(SpinWait.SpinUntil(() => node.Store.Count == 0, TimeSpan.FromMinutes(1)));
    }

    [Fact]
    [Failure("F27")]
    public async Task A_release_whose_reply_was_lost_is_repeated_and_is_no_loss()
    {
        await using var node = new TestNode();
        var lease = await node.AcquireAsync();
        node.Store.LoseNextReply(StoreOperation.Release);
        var release = lease.ReleaseAsync(Token);
        Assert.True(node.AdvanceUntil(() => release.IsCompleted, TimeSpan.FromSeconds(3)));
        Assert.Equal(ReleaseResult.Released, await release);
        Assert.Equal(2, node.Store.GetCallCount(StoreOperation.Release));
        Assert.False(lease.Lost.IsCancellationRequested);
    }

    /// <summary>The node's next waiter is named by the reply, and by no notification.</summary>
    [Fact]
    [Promise("G7")]
    [Failure("F27")]
    public async Task A_waiter_of_the_node_asks_when_a_release_ends_without_any_reply()
    {
        await using var holder = new ClockedNode();
        await using var node = new TestNode(holder.Clock, actualStore: new SilentReleaseStore(holder.Store));
        var lease = await node.AcquireAsync();
        Task<ILockLease> waiting = null!;
        await node.UntilAsleepAsync(() => waiting = node.AcquireAsync());
        var release = lease.ReleaseAsync(Token);
        Assert.True(node.AdvanceUntil(() => release.IsCompleted, TimeSpan.FromSeconds(4)));
        Assert.Equal(ReleaseResult.Unknown, await release);

        // Long before the end of the lease that the waiter knows of.
        Assert.True(node.AdvanceUntil(() => waiting.IsCompleted, TimeSpan.FromSeconds(3)));
        Assert.True((await waiting).FencingToken > lease.FencingToken);
    }

    [Fact]
    [Failure("F28")]
    public async Task A_release_that_fails_leaves_nothing_here_and_the_lock_lapses_by_itself()
    {
        await using var node = new TestNode();
        var lease = await node.AcquireAsync();
        node.Store.IsAway = true;
        var release = lease.ReleaseAsync(Token);
        Assert.True(node.AdvanceUntil(() => release.IsCompleted, TimeSpan.FromSeconds(4)));
        Assert.Equal(ReleaseResult.Unknown, await release);
        Assert.Equal(LeaseState.Released, lease.State);
        node.Store.IsAway = false;
        node.Advance(TimeSpan.FromSeconds(15));
        Assert.Equal(0, node.Store.GetCallCount(StoreOperation.Renew));
        Assert.Equal(0, node.Store.Count);
    }

    [Fact]
    [Failure("F28")]
    public async Task A_release_into_a_store_that_hangs_ends_in_bounded_time()
    {
        await using var node = new TestNode();
        var lease = await node.AcquireAsync();
        node.Store.Hang = true;
        var release = lease.ReleaseAsync(Token);
        Assert.True(node.AdvanceUntil(() => release.IsCompleted, TimeSpan.FromSeconds(4)));
        Assert.Equal(ReleaseResult.Unknown, await release);
    }

    [Fact]
    [Promise("G5")]
    public async Task A_second_release_says_that_it_was_released_before()
    {
        await using var node = new TestNode();
        var lease = await node.AcquireAsync();
        Assert.Equal(ReleaseResult.Released, await lease.ReleaseAsync(Token));
        var next = await node.AcquireAsync();
        Assert.Equal(ReleaseResult.AlreadyReleased, await lease.ReleaseAsync(Token));
        await lease.DisposeAsync();
        Assert.Equal(next.Owner, (await node.Store.GetHolderAsync("work", Token))!.Owner);
    }

    [Fact]
    [Promise("G5")]
    public async Task A_release_after_the_loss_touches_nobody_elses_lock()
    {
        await using var node = new TestNode();
        var lease = await node.AcquireAsync();
        node.Settle();
        node.Clock.Advance(TimeSpan.FromMinutes(1));
        Assert.Equal(LeaseState.Lost, lease.State);
        var next = await node.AcquireAsync();
        Assert.Equal(ReleaseResult.NotHeld, await lease.ReleaseAsync(Token));
        Assert.Equal(LeaseState.Lost, lease.State);
        Assert.Equal(next.Owner, (await node.Store.GetHolderAsync("work", Token))!.Owner);
    }

    [Fact]
    [Promise("G5")]
    public async Task A_release_after_the_loss_released_nothing_also_where_it_had_to_be_repeated()
    {
        await using var node = new TestNode();
        var lease = await node.AcquireAsync();
        node.Settle();
        node.Clock.Advance(TimeSpan.FromMinutes(1));
        node.Store.LoseNextReply(StoreOperation.Release);
        var release = lease.ReleaseAsync(Token);
        Assert.True(node.AdvanceUntil(() => release.IsCompleted, TimeSpan.FromSeconds(4)));
        Assert.Equal(ReleaseResult.NotHeld, await release);
    }

    [Fact]
    [Failure("F28")]
    public async Task A_release_is_tried_for_the_whole_release_timeout()
    {
        await using var node = new TestNode();
        var lease = await node.AcquireAsync();
        node.Store.IsAway = true;
        var release = lease.ReleaseAsync(Token);
        node.Advance(TimeSpan.FromSeconds(2));
        Assert.False(release.IsCompleted, "It gave up early.");
        node.Store.IsAway = false;
        Assert.True(node.AdvanceUntil(() => release.IsCompleted, TimeSpan.FromSeconds(1)));
        Assert.Equal(ReleaseResult.Released, await release);
        Assert.Equal(0, node.Store.Count);
    }

    /// <summary>A store whose replies to releases are lost.</summary>
    private sealed class SilentReleaseStore(ILockStore inner) : DelegatingLockStore(inner)
    {
        public override async Task<ReleaseReply> ReleaseAsync(ReleaseRequest request, CancellationToken cancellationToken)
        {
            await base.ReleaseAsync(request, cancellationToken);
            throw new LockStoreException("The reply was lost.", isTransient: true);
        }
    }
}
