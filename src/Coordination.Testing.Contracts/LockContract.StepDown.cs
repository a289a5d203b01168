using Coordination.Testing.Contracts.Waiting;

namespace Coordination.Testing.Contracts;

#pragma warning disable CS1591, RS0016 // Tests say by their names what they show, and are no interface to code against.

/// <content>Holders that make way for a node of choice, and what nodes say of themselves.</content>
public abstract partial class LockContract
{
    [Theory]
    [Promise("G7", "G14")]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_holder_that_is_asked_to_step_down_makes_way_for_the_named_node(bool isDeafAtFirst)
    {
        var ((first, link), second, third) = (StartLinkedNode(), StartNode(), StartNode());
        var lease = await AcquireAsync(first);
        var waiting = await QueueAsync(second);
        var alsoWaiting = await QueueAsync(third);
        link.IsDeaf = isDeafAtFirst;
        var asking = Observer.Inspector.StepDownAsync(Name, third.Provider.NodeId, TimeSpan.FromSeconds(5), timeout: Bound, cancellationToken: Cancellation);
        if (isDeafAtFirst)
        {
            await PassAsync(TimeSpan.FromMilliseconds(300));
            Assert.False(lease.StepDownRequested.IsCancellationRequested);
            link.IsDeaf = false;
        }

        await Eventually.IsTrueAsync(() => lease.StepDownRequested.IsCancellationRequested, Bound, "The holder is asked.");
        Assert.Equal(new StepDownRequest { StayAway = TimeSpan.FromSeconds(5), Successor = third.Provider.NodeId }, lease.StepDownRequest! with { Call = 0 });
        Assert.Equal((LeaseState.Held, false), (lease.State, asking.IsCompleted));
        Assert.Equal(ReleaseResult.Released, await lease.ReleaseAsync(Cancellation));
        await using (var next = await alsoWaiting.WaitAsync(Bound, Cancellation))
        {
            Assert.True(next.FencingToken > lease.FencingToken);
            Assert.False(waiting.IsCompleted);
            Assert.Equal(StepDownResult.SteppedDown, await asking);
        }

        await ReleaseAsync(await waiting.WaitAsync(Bound, Cancellation));
        await AssertNothingLeftAsync(Name);
    }

    [Fact]
    [Promise("G14")]
    public async Task A_holder_that_does_not_make_way_keeps_the_lock_and_who_asks_is_told_so()
    {
        var node = StartNode();
        Assert.Equal(StepDownResult.NotHeld, await Observer.Inspector.StepDownAsync(Name, cancellationToken: Cancellation));
        await using var lease = await AcquireAsync(node);
        Assert.Equal(StepDownResult.StillHeld, await Observer.Inspector.StepDownAsync(Name, timeout: TimeSpan.FromSeconds(1), cancellationToken: Cancellation));
        Assert.Equal(StepDownResult.NotHeld, await Observer.Inspector.StepDownAsync(Name, fencingToken: lease.FencingToken - 1, cancellationToken: Cancellation));
        Assert.Equal(RenewalResult.Renewed, await lease.RenewAsync(Cancellation));
    }

    [Fact]
    public async Task What_a_node_says_of_itself_is_shown_while_it_waits_and_while_it_holds()
    {
        var (first, second) = (StartNode(), StartNode());
        var lease = await AcquireAsync(first, new LockOptions { Note = "http://10.0.0.7:8080 v1", Rank = 1 });
        var waiting = await QueueAsync(second, second.GetLock(Name, new LockOptions { Note = "v2 ünïcødé", Rank = 2 }));
        var inspection = await Observer.Inspector.InspectAsync(Name, cancellationToken: Cancellation);
        Assert.Equal(("http://10.0.0.7:8080 v1", 1), (inspection.Holder!.Note, inspection.Holder.Rank));
        Assert.Equal(("v2 ünïcødé", 2), Assert.Single(inspection.Waiters) is var waiter ? (waiter.Note, waiter.Rank) : default);
        await ReleaseAsync(lease);
        var next = await waiting.WaitAsync(Bound, Cancellation);
        await next.RenewAsync(Cancellation);
        inspection = await Observer.Inspector.InspectAsync(Name, cancellationToken: Cancellation);
        Assert.Equal((next.Owner, "v2 ünïcødé", 2), (inspection.Holder!.Owner, inspection.Holder.Note, inspection.Holder.Rank));
        Assert.Equal(ReleaseResult.Released, await ReleaseAsync(next));
        await AssertNothingLeftAsync(Name);
    }
}
