using Coordination.Testing.Contracts.Waiting;

namespace Coordination.Testing.Contracts;

#pragma warning disable CS1591, RS0016 // Tests say by their names what they show, and are no interface to code against.

/// <content>Barging, locks that stay held for some time at least, and what operators see and do.</content>
public abstract partial class LockContract
{
    private static readonly LockOptions Barging = new() { AllowBarging = true };

    [Fact]
    public async Task Who_may_barge_gets_a_released_lock_again_before_the_one_that_waits()
    {
        // The waiter is told, and is held up until the other one was faster.
        var (first, (second, link)) = (StartNode(), StartLinkedNode());
        var barging = first.GetLock(Name, Barging);
        var lease = await barging.AcquireAsync(Cancellation).WaitAsync(Bound, Cancellation);
        var waiting = await QueueAsync(second, second.GetLock(Name, Barging));
        link.IsDeaf = true;
        await ReleaseAsync(lease);
        var again = await barging.TryAcquireAsync(Cancellation).WaitAsync(Bound, Cancellation);
        Assert.NotNull(again);

        link.IsDeaf = false;
        await ReleaseAsync(again);
        var next = await waiting.WaitAsync(Bound, Cancellation);
        Assert.True(next.FencingToken > again.FencingToken);
        await ReleaseAsync(next);
        await AssertNothingLeftAsync(Name);
    }

    [Fact]
    [Failure("F8")]
    public async Task A_waiter_that_may_barge_is_woken_by_a_release()
    {
        var (first, second) = (StartNode(), StartNode());
        var lease = await first.GetLock(Name, Barging).AcquireAsync(Cancellation).WaitAsync(Bound, Cancellation);
        for (var i = 0; i < 6; i++)
        {
            var waiting = await QueueAsync(i % 2 == 0 ? second : first, (i % 2 == 0 ? second : first).GetLock(Name, Barging));
            await ReleaseAsync(lease);
            lease = await waiting.WaitAsync(Bound, Cancellation);
        }

        await ReleaseAsync(lease);
        await AssertNothingLeftAsync(Name);
    }

    [Fact]
    public async Task A_lock_that_is_locked_at_least_for_some_time_passes_to_its_waiter_after_that()
    {
        var (first, second) = (StartNode(), StartNode());
        var atLeast = TimeSpan.FromSeconds(3);
        var start = TimeProvider.System.GetTimestamp();
        var lease = await AcquireAsync(first, new LockOptions { LockAtLeastFor = atLeast });
        var waiting = await QueueAsync(second);
        Assert.Equal(ReleaseResult.Released, await ReleaseAsync(lease));
        Assert.Equal(ReleaseResult.AlreadyReleased, await ReleaseAsync(lease));
        Assert.Null(await TryAcquireAsync(first));
        await using var next = await waiting.WaitAsync(Bound, Cancellation);
        Assert.True(next.FencingToken > lease.FencingToken);
        Assert.True(TimeProvider.System.GetElapsedTime(start) > atLeast - TimeSpan.FromMilliseconds(20));
    }

    [Fact]
    [Failure("F5")]
    public async Task A_call_that_is_cancelled_while_it_is_granted_does_not_lock_the_others_out()
    {
        var (first, second) = (StartNode(), StartNode());
        var options = new LockOptions { LockAtLeastFor = TimeSpan.FromHours(1) };
        for (var i = 0; i < Cycles; i++)
        {
            var lease = await AcquireAsync(first);
            using var cancelling = new CancellationTokenSource();
            var waiting = second.GetLock(Name, options).AcquireAsync(cancelling.Token);
            await YieldAsync(i % 20);
            var releasing = ReleaseAsync(lease);
            await YieldAsync(i % 7);
            await cancelling.CancelAsync();
            await releasing;
            if (await Task.WhenAny(waiting) is { IsCompletedSuccessfully: true } granted)
            {
                // It was faster: then it counts, and the operator ends it.
                var next = await granted;
                await ReleaseAsync(next);
                Assert.True(await Observer.Inspector.RevokeAsync(Name, next.FencingToken, Cancellation));
            }
        }

        await AssertNothingLeftAsync(Name);
    }

    [Fact]
    public async Task A_lock_may_stay_held_for_longer_than_its_lease()
    {
        var (node, duration) = (StartNode(), TimeSpan.FromMilliseconds(500));
        var lease = await AcquireAsync(node, new LockOptions { LeaseDuration = duration, LockAtLeastFor = Long });
        await ReleaseAsync(lease);
        // By the store's clock: a lease of that length that begins now is over.
        await PassAsync(duration);
        Assert.Null(await TryAcquireAsync(node));
        Assert.True(await node.Inspector.RevokeAsync(Name, lease.FencingToken, Cancellation));
        await using var next = await AcquireAsync(node);
    }

    [Fact]
    public async Task An_inspector_sees_holder_and_waiters_of_other_nodes_in_order()
    {
        var (first, second, third) = (StartNode(), StartNode(), StartNode());
        var lease = await AcquireAsync(first);
        var waiting = new[] { await QueueAsync(second), await QueueAsync(third) };
        var inspection = await Observer.Inspector.InspectAsync(Name, cancellationToken: Cancellation);
        Assert.Equal((lease.Owner, lease.FencingToken), (inspection.Holder!.Owner, inspection.Holder.FencingToken));
        Assert.Equal([second.Provider.NodeId, third.Provider.NodeId], inspection.Waiters.Select(waiter => waiter.Owner.NodeId));

        Assert.Contains(Name, await Observer.Inspector.ListAsync(Cancellation).ToListAsync(Cancellation));
        Assert.True(await Observer.Inspector.CountAsync(Cancellation) >= 1);
        await ReleaseAsync(lease);
        foreach (var next in waiting)
        {
            await ReleaseAsync(await next.WaitAsync(Bound, Cancellation));
        }
    }

    /// <summary>With notifications the holder learns of it at once; without, at its next renewal.</summary>
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_holder_whose_lock_an_operator_revokes_learns_of_it_as_a_loss_with_that_reason(bool hearsNothing)
    {
        var ((first, link), second) = (StartLinkedNode(), StartNode());
        // Having waited once, a node listens.
        var before = await AcquireAsync(second);
        var options = hearsNothing ? new LockOptions { LeaseDuration = TimeSpan.FromSeconds(2) } : null;
        var acquiring = await QueueAsync(first, first.GetLock(Name, options));
        await ReleaseAsync(before);
        var lease = await acquiring.WaitAsync(Bound, Cancellation);
        link.IsDeaf = hearsNothing;
        var waiting = await QueueAsync(second);
        Assert.False(await Observer.Inspector.RevokeAsync(Name, lease.FencingToken - 1, Cancellation));
        Assert.True(await Observer.Inspector.RevokeAsync(Name, lease.FencingToken, Cancellation));

        // Long before the next renewal of a lease of the usual length.
        await Eventually.IsTrueAsync(() => lease.Lost.IsCancellationRequested, Bound / 2, "The holder is told.");
        Assert.Equal(LeaseLossReason.Revoked, lease.LossReason);
        Assert.Equal(ReleaseResult.NotHeld, await ReleaseAsync(lease));
        await using var next = await waiting.WaitAsync(Bound, Cancellation);
        Assert.True(next.FencingToken > lease.FencingToken);
        Assert.Equal(LeaseState.Held, next.State);
    }
}
