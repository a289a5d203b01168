using Coordination.Stores;
using Coordination.Testing.Contracts.Observations;
using Coordination.Testing.Contracts.Waiting;

namespace Coordination.Testing.Contracts;

#pragma warning disable CS1591, RS0016 // Tests say by their names what they show, and are no interface to code against.

/// <content>What owners say of themselves, and how a lock passes to a node of choice.</content>
public abstract partial class LockStoreContract
{
    /// <summary>What an owner may say: also what a store might take for its own.</summary>
    private const string Note = "10.0.0.7:8080 v2|-1#5,6/{7} \"ünïcødé\" 🔒";

    [Fact]
    public async Task Holder_and_waiter_are_shown_with_the_note_and_the_rank_that_they_asked_with()
    {
        await SayAsync(Ada, 1, Note, -7);
        await SayAsync(Bob, 1, new string('é', 512), long.MaxValue, wait: true);
        await SayAsync(Cy, 1, null, 3, wait: true);
        await SayAsync(Dan, 1, string.Empty, 0, wait: true);
        var inspection = await InspectAsync();
        Assert.Equal((Note, -7L), (inspection.Holder?.Note, inspection.Holder?.Rank));
        Assert.Equal(
            [(Bob, new string('é', 512), long.MaxValue), (Cy, null, 3), (Dan, null, 0)],
            inspection.Waiters.Select(waiter => (waiter.Owner, waiter.Note, waiter.Rank)));
        Assert.Equal((Note, -7L), (await HeldAsync()) is var holder ? (holder.Note, holder.Rank) : default);

        // Who is refused learns of it as well.
        var refused = (await AskAsync(Dan)).Holder;
        Assert.Equal((Ada, Note, -7L), (refused?.Owner, refused?.Note, refused?.Rank));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_lock_that_is_handed_over_has_the_note_of_its_new_holder_at_once(bool byReply)
    {
        var next = byReply ? new LockOwner(Ada.NodeId, 2) : Bob;
        await SayAsync(Ada, 1, "old", 1);
        await SayAsync(next, 1, Note, 2, wait: true);
        await Store.ReleaseAsync(Requests.Release(LockName, Ada, Long) with { TakesHandover = byReply, Note = "old", Rank = 1 }, Cancellation);
        var holder = await HeldAsync();
        Assert.Equal((next, Note, 2L), (holder.Owner, holder.Note, holder.Rank));

        // The claim and each renewal leave it as it is.
        var claim = Requests.Renew(LockName, next, Long, holder.FencingToken) with { ClaimedEntry = 1, Note = Note, Rank = 2 };
        Assert.Equal([RenewalReply.Renewed], await Store.RenewAsync([claim], Cancellation));
        Assert.Equal([RenewalReply.Renewed], await Store.RenewAsync([claim with { ClaimedEntry = null, Entry = 1 }], Cancellation));
        Assert.Equal((Note, 2L), (await HeldAsync()) is var held ? (held.Note, held.Rank) : default);
        Assert.Equal(ReleaseReply.Released, await LeaveAsync(next, 1, Note, 2));
        await AssertNothingLeftAsync(LockName);
    }

    [Fact]
    [Promise("G6")]
    public async Task Of_several_entries_the_first_that_says_anything_is_shown_until_it_is_released()
    {
        var token = await GrantAsync(Ada);
        Assert.Equal(token, (await SayAsync(Ada, 2, Note, 5)).FencingToken);
        Assert.Equal(token, (await SayAsync(Ada, 3, null, 6)).FencingToken);
        Assert.Equal(token, (await SayAsync(Ada, 2, Note, 5)).FencingToken);
        Assert.Equal((Note, 5L), await SaidAsync());
        Assert.Equal(ReleaseReply.StillHeldByOwner, await LeaveAsync(Ada, 2, Note, 5));
        Assert.Equal((null, 6L), await SaidAsync());
        Assert.Equal(ReleaseReply.StillHeldByOwner, await LeaveAsync(Ada, 3, null, 6));
        Assert.Equal((null, 0L), await SaidAsync());
        Assert.Equal(ReleaseReply.Released, await ReleaseAsync(Ada));
        await AssertNothingLeftAsync(LockName);

        async Task<(string?, long)> SaidAsync() => await HeldAsync() is var holder ? (holder.Note, holder.Rank) : default;
    }

    [Fact]
    public async Task A_waiter_with_a_note_leaves_the_queue_and_a_released_lock_says_nothing()
    {
        await SayAsync(Ada, 1, Note, 1);
        await SayAsync(Bob, 1, Note, 2, wait: true);
        Assert.Equal(ReleaseReply.NotHeld, await LeaveAsync(Bob, 1, Note, 2));
        Assert.Equal(0, await Leftovers.CountWaitersAsync(Store, LockName));
        await Store.ReleaseAsync(Requests.Release(LockName, Ada, Long, lockAtLeastFor: Long) with { Note = Note, Rank = 1 }, Cancellation);
        var kept = await HeldAsync();
        Assert.Equal((true, null, 0L), (kept.IsReleased, kept.Note, kept.Rank));
    }

    [Fact]
    [Promise("G3", "G14")]
    public async Task A_release_passes_the_lock_to_the_named_node_before_those_that_came_earlier()
    {
        var heard = new Heard();
        await using var listening = await ListenAsync(Dan, heard);
        var token = await GrantAsync(Ada);
        await QueueAsync(Bob, Cy, Dan, new LockOwner(Dan.NodeId, 2));
        Assert.Equal(ReleaseReply.Released, await PassToAsync(Ada, Dan.NodeId));
        var holder = await HeldAsync();
        Assert.Equal(Dan, holder.Owner);
        Assert.True(holder.FencingToken > token);
        await Eventually.IsTrueAsync(() => heard.Count > 0, Bound);
        AssertGrant(LockName, Dan, Assert.Single(heard.All));

        // From then on all is in order.
        Assert.True((await AskAsync(Dan)).IsGranted);
        foreach (var next in (LockOwner[])[Bob, Cy, new LockOwner(Dan.NodeId, 2)])
        {
            await ReleaseAsync((await HeldAsync()).Owner);
            await AssertHeldByAsync(next);
            Assert.True((await AskAsync(next)).IsGranted);
        }
    }

    [Theory]
    [Promise("G9")]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Where_the_named_node_does_not_wait_or_is_dead_the_first_one_has_the_lock(bool isDead)
    {
        await GrantAsync(Ada, lease: isDead ? Short : null);
        if (isDead)
        {
            // Handed over to, and did not claim it.
            await QueueAsync(Cy);
            await ReleaseAsync(Ada, claimWindow: Short);
            await LapseAsync(LockName);
            await GrantAsync(Ada);
        }

        await QueueAsync(Bob);
        Assert.Equal(ReleaseReply.Released, await PassToAsync(Ada, Cy.NodeId));
        await AssertHeldByAsync(Bob);
    }

    [Fact]
    [Promise("G7")]
    public async Task Who_was_overtaken_by_the_named_node_is_told_to_ask_again()
    {
        var heard = new Heard();
        await using var listening = await ListenAsync(Bob, heard);
        await GrantAsync(Ada);
        await QueueAsync(Bob, Cy);
        await PassToAsync(Ada, Cy.NodeId);
        await Eventually.IsTrueAsync(() => heard.Count > 0, Bound);
        Assert.Equal(LockNotification.AskAgain(LockName, Bob, Long), Assert.Single(heard.All));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task The_named_node_may_be_the_releasing_one(bool byReply)
    {
        var own = new LockOwner(Ada.NodeId, 2);
        await GrantAsync(Ada);
        await QueueAsync(Bob, own);
        var request = Requests.Release(LockName, Ada, Long) with { Successor = Ada.NodeId, TakesHandover = byReply };
        Assert.Equal(ReleaseOutcome.Released, (await Store.ReleaseAsync(request, Cancellation)).Outcome);
        await AssertHeldByAsync(own);
        Assert.True((await AskAsync(own)).IsGranted);
    }

    [Fact]
    public async Task A_successor_that_is_named_by_who_does_not_hold_the_lock_changes_nothing()
    {
        await GrantAsync(Ada);
        await QueueAsync(Bob, Cy);
        Assert.Equal(ReleaseReply.NotHeld, await PassToAsync(Dan, Cy.NodeId));
        await AssertHeldByAsync(Ada);
        Assert.Equal(2, await Leftovers.CountWaitersAsync(Store, LockName));
    }

    [Theory]
    [InlineData(true, 0)]
    [InlineData(false, 30)]
    public async Task A_lock_that_is_left_free_or_kept_passes_to_no_successor(bool barging, int atLeast)
    {
        await GrantAsync(Ada);
        await QueueAsync(Bob, Cy);
        var request = Requests.Release(LockName, Ada, Long, allowBarging: barging, lockAtLeastFor: TimeSpan.FromSeconds(atLeast)) with { Successor = Cy.NodeId };
        Assert.Equal(ReleaseReply.Released, await Store.ReleaseAsync(request, Cancellation));
        Assert.True(await HolderAsync() is null or { IsReleased: true });
    }

    [Fact]
    [Promise("G14")]
    public async Task A_holder_that_is_asked_to_step_down_is_told_so_and_keeps_the_lock()
    {
        var (heard, others) = (new Heard(), new Heard());
        await using var listening = await ListenAsync(Ada, heard);
        await using var alsoListening = await ListenAsync(Bob, others);
        var token = await GrantAsync(Ada);
        await QueueAsync(Bob);
        var request = new StepDownRequest { StayAway = TimeSpan.FromMinutes(2), Successor = Bob.NodeId, Call = long.MaxValue - 1 };
        Assert.True(await AskToStepDownAsync(token, request));
        await Eventually.IsTrueAsync(() => heard.Count > 0, Bound);
        Assert.Equal(LockNotification.StepDown(LockName, Ada, token, request), Assert.Single(heard.All));
        await AssertHeldByAsync(Ada);

        // Asked again it is told again.
        Assert.True(await AskToStepDownAsync(token, new StepDownRequest()));
        await Eventually.IsTrueAsync(() => heard.Count > 1, Bound);
        Assert.Equal(LockNotification.StepDown(LockName, Ada, token, new StepDownRequest()), heard.All.Last());
        Assert.Empty(others.All);
        Assert.True(await RenewAsync(Ada));
    }

    [Fact]
    [Promise("G14")]
    public async Task Nobody_is_asked_to_step_down_but_who_holds_the_lock_under_the_token()
    {
        var heard = new Heard();
        await using var listening = await ListenAsync(Ada, heard);
        Assert.False(await AskToStepDownAsync(1, new StepDownRequest()));
        var token = await GrantAsync(Ada);
        Assert.False(await AskToStepDownAsync(token - 1, new StepDownRequest()));
        Assert.False(await AskToStepDownAsync(token + 1, new StepDownRequest()));
        await ReleaseAsync(Ada, lockAtLeastFor: Short);
        Assert.False(await AskToStepDownAsync(token, new StepDownRequest()));
        await LapseAsync(LockName);
        token = await GrantAsync(Ada, lease: Short);
        await LapseAsync(LockName);
        Assert.False(await AskToStepDownAsync(token, new StepDownRequest()));
        await AssertNothingLeftAsync(LockName);

        // What was handed over and is not claimed yet is held.
        await GrantAsync(Ada);
        await QueueAsync(Bob);
        await ReleaseAsync(Ada);
        Assert.True(await AskToStepDownAsync((await HeldAsync()).FencingToken, new StepDownRequest()));
        Assert.Empty(heard.All);
    }

    private Task<AcquireReply> SayAsync(LockOwner owner, long entry, string? note, long rank, bool wait = false) =>
        Store.AcquireAsync(Requests.Acquire(LockName, owner, Long, entry, wait) with { Note = note, Rank = rank }, Cancellation).WaitAsync(Bound, Cancellation);

    /// <summary>A release says what the acquisition did.</summary>
    private Task<ReleaseReply> LeaveAsync(LockOwner owner, long entry, string? note, long rank) =>
        Store.ReleaseAsync(Requests.Release(LockName, owner, Long, entry) with { Note = note, Rank = rank }, Cancellation).WaitAsync(Bound, Cancellation);

    private Task<ReleaseReply> PassToAsync(LockOwner owner, string successor) =>
        Store.ReleaseAsync(Requests.Release(LockName, owner, Long) with { Successor = successor, TakesHandover = true }, Cancellation).WaitAsync(Bound, Cancellation);

    private Task<bool> AskToStepDownAsync(long token, StepDownRequest request) => Administration.AskToStepDownAsync(LockName, token, request, Cancellation).WaitAsync(Bound, Cancellation);
}
