using Coordination.Stores;
using Coordination.Testing.Contracts.Observations;
using Coordination.Testing.Contracts.Waiting;

namespace Coordination.Testing.Contracts;

#pragma warning disable CS1591, RS0016 // Tests say by their names what they show, and are no interface to code against.

/// <content>What owners say of themselves, and how a share passes to a node of choice.</content>
public abstract partial class LockStoreShareContract
{
    private const string Note = "10.0.0.7:8080 v2|-1#5,6/{7} ünïcødé";

    [Fact]
    public async Task Each_holder_and_waiter_is_shown_with_its_own_note_and_rank()
    {
        await SayAsync(Ada, Note, 1);
        await SayAsync(Bob, null, -2);
        await GrantAsync(Cy, OneOfThree);
        await SayAsync(Dan, Note, 4, wait: true);
        var inspection = await InspectAsync();
        Assert.Equal([(Ada, Note, 1), (Bob, null, -2), (Cy, null, 0)], inspection.Holders.OrderBy(holder => holder.FencingToken).Select(holder => (holder.Owner, holder.Note, holder.Rank)));
        Assert.Equal((Dan, Note, 4), Assert.Single(inspection.Waiters) is var waiter ? (waiter.Owner, waiter.Note, waiter.Rank) : default);

        // The waiter's is the grant's in the step of the handover, and stays while it is claimed and renewed.
        await Store.ReleaseAsync(Requests.Release(LockName, Ada, Long) with { Share = OneOfThree, Note = Note, Rank = 1 }, Cancellation);
        var given = await HolderAsync(Dan);
        Assert.Equal((Note, 4), (given.Note, given.Rank));
        var claim = Requests.Renew(LockName, Dan, Long, given.FencingToken) with { Share = OneOfThree, ClaimedEntry = 1, Note = Note, Rank = 4 };
        Assert.Equal([RenewalReply.Renewed], await Store.RenewAsync([claim], Cancellation));
        Assert.Equal([RenewalReply.Renewed], await Store.RenewAsync([claim with { ClaimedEntry = null, Entry = 1 }], Cancellation));
        Assert.Equal((Note, 4), await HolderAsync(Dan) is var held ? (held.Note, held.Rank) : default);
        Assert.Equal(ReleaseReply.Released, await Store.ReleaseAsync(Requests.Release(LockName, Dan, Long) with { Share = OneOfThree, Note = Note, Rank = 4 }, Cancellation));
        await AssertHeldByAsync(Bob, Cy);
    }

    [Theory]
    [Promise("G14")]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_permit_passes_to_the_named_node_before_those_that_came_earlier(bool isOwn)
    {
        var next = isOwn ? new LockOwner(Ada.NodeId, 2) : Dan;
        var share = LockShare.PermitOf(2);
        await GrantAsync(Ada, share);
        await GrantAsync(Bob, share);
        await QueueAsync(share, Cy, next);
        Assert.Equal(ReleaseOutcome.Released, (await PassToAsync(Ada, share, next.NodeId)).Outcome);
        await AssertHeldByAsync(Bob, next);
        await ReleaseAsync(Bob, share);
        await AssertHeldByAsync(next, Cy);
    }

    [Fact]
    [Promise("G9")]
    public async Task A_share_passes_as_ever_where_the_named_node_does_not_wait_or_does_not_fit()
    {
        await GrantAsync(Ada, LockShare.Read);
        await GrantAsync(Bob, LockShare.Read);
        await QueueAsync(LockShare.Write, Cy, Dan);

        // A reader is there still.
        Assert.Equal(ReleaseReply.Released, await PassToAsync(Ada, LockShare.Read, Dan.NodeId));
        await AssertHeldByAsync(Bob);
        Assert.Equal(ReleaseReply.Released, await PassToAsync(Bob, LockShare.Read, Owner("eve").NodeId));
        await AssertHeldByAsync(Cy);
    }

    [Fact]
    [Promise("G1", "G7")]
    public async Task A_writer_that_is_named_overtakes_readers_who_are_told_to_ask_again()
    {
        var (heard, told) = (new Heard(), new Heard());
        await using var listening = await ListenAsync(Dan, heard);
        await using var alsoListening = await ListenAsync(Bob, told);
        await GrantAsync(Ada, LockShare.Write);
        await QueueAsync(LockShare.Read, Bob, Cy);
        await QueueAsync(LockShare.Write, Dan);
        Assert.Equal(ReleaseReply.Released, await PassToAsync(Ada, LockShare.Write, Dan.NodeId));
        await AssertHeldByAsync(Dan);
        await Eventually.IsTrueAsync(() => heard.Count > 0 && told.Count > 0, Bound);
        AssertGrant(Dan, Assert.Single(heard.All));
        Assert.Equal(LockNotification.AskAgain(LockName, Bob, Long), Assert.Single(told.All));
        await ReleaseAsync(Dan, LockShare.Write);
        await AssertHeldByAsync(Bob, Cy);
    }

    [Fact]
    [Promise("G9")]
    public async Task Behind_a_reader_that_is_named_those_enter_who_fit_in_their_turn()
    {
        await GrantAsync(Ada, LockShare.Write);
        await QueueAsync(LockShare.Read, Bob);
        await QueueAsync(LockShare.Write, Cy);
        await QueueAsync(LockShare.Read, Dan);
        await PassToAsync(Ada, LockShare.Write, Dan.NodeId);
        await AssertHeldByAsync(Dan, Bob);
    }

    [Fact]
    [Promise("G14")]
    public async Task One_holder_of_several_is_asked_to_step_down_and_keeps_its_share()
    {
        var (heard, others) = (new Heard(), new Heard());
        await using var listening = await ListenAsync(Ada, heard);
        await using var alsoListening = await ListenAsync(Bob, others);
        var token = (await GrantAsync(Ada, OneOfThree)).FencingToken!.Value;
        await GrantAsync(Bob, OneOfThree);
        var gone = (await GrantAsync(Cy, OneOfThree)).FencingToken!.Value;
        await ReleaseAsync(Cy, OneOfThree);
        var request = new StepDownRequest { StayAway = TimeSpan.FromSeconds(3), Successor = Cy.NodeId };
        Assert.True(await Administration.AskToStepDownAsync(LockName, token, request, Cancellation));
        Assert.False(await Administration.AskToStepDownAsync(LockName, gone, request, Cancellation));
        await Eventually.IsTrueAsync(() => heard.Count > 0, Bound);
        Assert.Equal(LockNotification.StepDown(LockName, Ada, token, request), Assert.Single(heard.All));
        Assert.Empty(others.All);
        await AssertHeldByAsync(Ada, Bob);
        await ReleaseAsync(Ada, OneOfThree);
        Assert.False(await Administration.AskToStepDownAsync(LockName, token, request, Cancellation));
    }

    private Task<AcquireReply> SayAsync(LockOwner owner, string? note, long rank, bool wait = false) =>
        Store.AcquireAsync(Requests.Acquire(LockName, owner, Long, wait: wait) with { Share = OneOfThree, Note = note, Rank = rank }, Cancellation).WaitAsync(Bound, Cancellation);

    private Task<ReleaseReply> PassToAsync(LockOwner owner, LockShare share, string successor) =>
        Store.ReleaseAsync(Requests.Release(LockName, owner, Long) with { Share = share, Successor = successor, TakesHandover = true }, Cancellation).WaitAsync(Bound, Cancellation);
}
