using Coordination.Testing.Contracts.Observations;
using Coordination.Testing.Contracts.Waiting;

namespace Coordination.Testing.Contracts;

#pragma warning disable CS1591, RS0016 // Tests say by their names what they show, and are no interface to code against.

/// <content>The ways to a lease, and what a lease says of itself.</content>
public abstract partial class LockContract
{
    [Fact]
    public async Task A_lease_tells_what_was_granted()
    {
        var node = StartNode();
        await using var lease = await TryAcquireAsync(node);

        Assert.NotNull(lease);
        Assert.Equal((Name, node.Provider.NodeId), (lease.LockName, lease.Owner.NodeId));
        Assert.Equal((LeaseState.Held, null, false), (lease.State, lease.LossReason, lease.Lost.IsCancellationRequested));
        Assert.InRange(lease.Remaining, TimeSpan.FromTicks(1), Long);
        var holder = await node.Administration.GetHolderAsync(Name, Cancellation);
        Assert.Equal((lease.Owner, lease.FencingToken), (holder?.Owner, holder?.FencingToken));
    }

    [Fact]
    [Promise("G1")]
    public async Task A_try_on_a_lock_that_is_held_gives_no_lease_whichever_node_tries()
    {
        var (first, second) = (StartNode(), StartNode());
        await using var lease = await AcquireAsync(first);

        Assert.Null(await TryAcquireAsync(first));
        Assert.Null(await TryAcquireAsync(second));
        Assert.Null(await second.GetLock(Name).TryAcquireAsync(TimeSpan.Zero, Cancellation).WaitAsync(Bound, Cancellation));
        Assert.Equal(0, await Leftovers.CountWaitersAsync(second.Store, Name));
    }

    [Fact]
    [Promise("G8")]
    public async Task A_wait_that_is_up_is_a_result_where_the_name_says_Try_else_a_TimeoutException()
    {
        var (first, second) = (StartNode(), StartNode());
        await using (await AcquireAsync(first))
        {
            var timeout = TimeSpan.FromMilliseconds(100);
            Assert.Null(await second.GetLock(Name).TryAcquireAsync(timeout, Cancellation).WaitAsync(Bound, Cancellation));
            var error = await Assert.ThrowsAsync<TimeoutException>(() => second.GetLock(Name).AcquireAsync(timeout, Cancellation).WaitAsync(Bound, Cancellation));
            Assert.Contains(Name, error.Message, StringComparison.Ordinal);
        }

        await AssertNothingLeftAsync(Name);
    }

    [Fact]
    public async Task A_wait_with_a_timeout_gets_a_lock_that_is_released_meanwhile()
    {
        var (first, second) = (StartNode(), StartNode());
        var lease = await AcquireAsync(first);
        var waiting = second.GetLock(Name).TryAcquireAsync(Long, Cancellation);
        await Eventually.IsTrueAsync(async () => await Leftovers.CountWaitersAsync(first.Store, Name) == 1, Bound);
        await ReleaseAsync(lease);

        await using var next = await waiting.WaitAsync(Bound, Cancellation);
        Assert.NotNull(next);
    }

    [Fact]
    [Promise("G8")]
    public async Task A_wait_ends_when_it_is_cancelled_and_leaves_nothing()
    {
        var (first, second) = (StartNode(), StartNode());
        var lease = await AcquireAsync(first);
        using var cancelling = new CancellationTokenSource();
        var waiting = await QueueAsync(second, cancellation: cancelling.Token);
        await cancelling.CancelAsync();

        var error = await Assert.ThrowsAnyAsync<OperationCanceledException>(() => waiting.WaitAsync(Bound, Cancellation));
        Assert.Equal(cancelling.Token, error.CancellationToken);
        await Eventually.IsTrueAsync(async () => await Leftovers.CountWaitersAsync(first.Store, Name) == 0, Bound);
        await ReleaseAsync(lease);
        await AssertNothingLeftAsync(Name);
    }

    [Fact]
    [Promise("G8")]
    public async Task A_call_with_a_token_that_is_cancelled_already_acquires_nothing()
    {
        var node = StartNode();
        var cancelled = new CancellationToken(canceled: true);
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => node.GetLock(Name).TryAcquireAsync(cancelled));
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => node.GetLock(Name).AcquireAsync(cancelled));
        await AssertNothingLeftAsync(Name);
    }

    [Fact]
    [Promise("G6")]
    [Failure("F4")]
    public async Task An_owner_enters_its_lock_again_and_it_is_free_after_as_many_releases()
    {
        var (first, second) = (StartNode(), StartNode());
        var own = first.GetLock(Name).WithOwner(first.Provider.CreateOwner());
        var outer = await own.AcquireAsync(Cancellation).WaitAsync(Bound, Cancellation);
        var waiting = await QueueAsync(second);

        // At once, although another node waits.
        var inner = await own.AcquireAsync(Cancellation).WaitAsync(Bound, Cancellation);
        Assert.Equal((outer.Owner, outer.FencingToken), (inner.Owner, inner.FencingToken));

        Assert.Equal(ReleaseResult.StillHeldByOwner, await ReleaseAsync(outer));
        Assert.Equal((LeaseState.Held, LeaseState.Released), (inner.State, outer.State));
        Assert.False(waiting.IsCompleted);
        Assert.Equal(ReleaseResult.Released, await ReleaseAsync(inner));
        await using var next = await waiting.WaitAsync(Bound, Cancellation);
        Assert.True(next.FencingToken > outer.FencingToken);
    }

    [Fact]
    [Promise("G6")]
    public async Task One_owner_may_enter_many_times_at_once()
    {
        var node = StartNode();
        var own = node.GetLock(Name).WithOwner(node.Provider.CreateOwner());
        var leases = await AtOnce.Async(Enumerable.Range(0, 20), i => i % 2 == 0 ? own.AcquireAsync(Cancellation) : own.TryAcquireAsync(Cancellation)!, Bound);

        Assert.Single(leases.Select(lease => lease.FencingToken).Distinct());
        var results = await AtOnce.Async(leases, ReleaseAsync, Bound);
        Assert.Single(results, result => result == ReleaseResult.Released);
        Assert.Equal(leases.Length - 1, results.Count(result => result == ReleaseResult.StillHeldByOwner));
        await AssertNothingLeftAsync(Name);
    }

    [Fact]
    [Promise("G6")]
    [Failure("F3")]
    public async Task A_grant_whose_reply_was_lost_is_the_one_that_the_retry_gets()
    {
        // With time for each attempt, over a connection that stands. One try gives up a second after the first failure, so it loses one reply only.
        var (node, link) = StartLinkedNode(options => options.LeaseDuration = Long);
        await ReleaseAsync(await AcquireAsync(node));
        foreach (var waits in (bool[])[false, true])
        {
            link.RepliesToLose = waits ? 2 : 1;
            var @lock = node.GetLock(Name);
            var lease = await (waits ? @lock.AcquireAsync(Cancellation) : @lock.TryAcquireAsync(Cancellation)!).WaitAsync(Bound, Cancellation);
            Assert.Equal(lease!.FencingToken, (await node.Administration.GetHolderAsync(Name, Cancellation))?.FencingToken);

            Assert.Equal(ReleaseResult.Released, await ReleaseAsync(lease));
            await AssertNothingLeftAsync(Name);
        }
    }

    [Fact]
    [Promise("G8")]
    public async Task A_wait_ends_with_its_provider_and_leaves_nothing()
    {
        var (first, second) = (StartNode(), StartNode());
        var lease = await AcquireAsync(first);
        var waiting = await QueueAsync(second);
        await second.DisposeAsync();

        await Assert.ThrowsAsync<ObjectDisposedException>(() => waiting.WaitAsync(Bound, Cancellation));
        await Eventually.IsTrueAsync(async () => await Leftovers.CountWaitersAsync(first.Store, Name) == 0, Bound);
        await ReleaseAsync(lease);
        await AssertNothingLeftAsync(Name);
    }
}
