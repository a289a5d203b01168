using Coordination.Stores;
using Coordination.Testing.Contracts.Observations;
using Coordination.Testing.Contracts.Waiting;

namespace Coordination.Testing.Contracts;

#pragma warning disable CS1591, RS0016 // Tests say by their names what they show, and are no interface to code against.

/// <content>Handovers that the reply to a release tells of, and claims that are made beside the work.</content>
public abstract partial class LockStoreContract
{
    [Fact]
    [Promise("G3", "G9")]
    public async Task A_release_may_hand_the_lock_to_a_waiter_of_its_own_node_by_its_reply()
    {
        var (own, heard) = (new LockOwner(Ada.NodeId, 2), new Heard());
        await using var listening = await ListenAsync(Ada, heard);
        var before = await GrantAsync(Ada);
        Assert.False((await AskAsync(own, entry: 7)).IsGranted);

        var reply = await ReleaseToOwnAsync(Ada);
        var holder = await HeldAsync();
        Assert.Equal((ReleaseOutcome.Released, own), (reply.Outcome, holder.Owner));
        Assert.True(holder.FencingToken > before);
        Assert.InRange(holder.TimeToLive, TimeSpan.Zero, Long / 3);
        Assert.Equal(reply.Handover is null, reply.NextOwner is null);
        if (reply.Handover is { } handover)
        {
            Assert.Equal((own, 7L, holder.FencingToken, Long / 3), (reply.NextOwner, handover.Entry, handover.FencingToken, handover.ClaimWindow));
            Assert.Equal(0, await Leftovers.CountWaitersAsync(Store, LockName));
            await Administration.PingAsync(Cancellation);
            Assert.Empty(heard.Grants);
        }
        else
        {
            // A store that cannot do so tells the waiter as any other.
            await Eventually.IsTrueAsync(() => heard.Grants.Any(), Bound);
            AssertGrant(LockName, own, Assert.Single(heard.Grants));
        }

        Assert.Equal(RenewalReply.Renewed, await RenewalReplyAsync(own, token: holder.FencingToken));
        Assert.InRange(await TimeToLiveAsync(), Long - Bound, Long);
        Assert.Equal(ReleaseReply.Released, await ReleaseAsync(own, entry: 7));
        await AssertNothingLeftAsync(LockName);
    }

    [Fact]
    [Promise("G4")]
    public async Task What_a_reply_handed_over_lapses_with_the_claim_window()
    {
        await GrantAsync(Ada);
        await QueueAsync(new LockOwner(Ada.NodeId, 2), Bob);
        await ReleaseToOwnAsync(Ada, claimWindow: Short);
        await LapseAsync(LockName);
        Assert.True((await AskAsync(Bob)).IsGranted);
    }

    [Theory]
    [Promise("G7", "G9")]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_waiter_of_another_node_that_stands_first_is_told_and_has_the_lock(bool ownWaits)
    {
        var heard = new Heard();
        await using var listening = await ListenAsync(Bob, heard);
        await GrantAsync(Ada);
        await QueueAsync(Bob);
        await QueueAsync(ownWaits ? [new LockOwner(Ada.NodeId, 2)] : []);
        Assert.Equal(ReleaseReply.Released, await ReleaseToOwnAsync(Ada));
        await AssertHeldByAsync(Bob);
        await Eventually.IsTrueAsync(() => heard.Count > 0, Bound);
        AssertGrant(LockName, Bob, Assert.Single(heard.All));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_claim_takes_the_waiter_out_of_the_queue_and_has_the_whole_lease(bool withOthers)
    {
        var other = LockName + "-other";
        await Store.AcquireAsync(Requests.Acquire(other, Bob, Long), Cancellation);
        await GrantAsync(Ada);
        Assert.False((await AskAsync(Bob, entry: 7)).IsGranted);
        Assert.False((await AskAsync(Bob, entry: 8)).IsGranted);
        await ReleaseAsync(Ada, claimWindow: Long / 3);
        var passed = await HeldAsync();

        // Told twice, as after a reply that was lost.
        for (var i = 0; i < 2; i++)
        {
            var claim = Requests.Renew(LockName, Bob, Long, passed.FencingToken) with { ClaimedEntry = 7 };
            if (!withOthers || Store.PartitionOf(other) != Store.PartitionOf(LockName))
            {
                Assert.Equal([RenewalReply.Renewed], await Store.RenewAsync([claim], Cancellation));
            }
            else
            {
                Assert.Equal([RenewalReply.Renewed, RenewalReply.Renewed], await Store.RenewAsync([Requests.Renew(other, Bob, Long), claim], Cancellation));
            }

            var holder = await HeldAsync();
            Assert.Equal((Bob, passed.FencingToken), (holder.Owner, holder.FencingToken));
            Assert.InRange(holder.TimeToLive, Long - Bound, Long);
            Assert.Equal(1, await Leftovers.CountWaitersAsync(Store, LockName));
        }

        await Store.ReleaseAsync(Requests.Release(other, Bob, Long), Cancellation);
        Assert.Equal(ReleaseReply.Released, await ReleaseAsync(Bob, entry: 7));
        await AssertHeldByAsync(Bob);
        Assert.Equal(ReleaseReply.Released, await ReleaseAsync(Bob, entry: 8));
        await AssertNothingLeftAsync(LockName);
    }

    [Theory]
    [Promise("G5")]
    [Failure("F10")]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_claim_never_revives_a_lock_that_was_released_or_lapsed(bool isReleased)
    {
        await GrantAsync(Ada);
        await QueueAsync(Bob);
        await ReleaseAsync(Ada, claimWindow: isReleased ? Long : Short);
        await (isReleased ? ReleaseAsync(Bob) : LapseAsync(LockName));
        Assert.Equal(RenewalReply.NotHeld, await ClaimAsync(Bob, token: null));
        Assert.Null(await HolderAsync());

        // Nor one that another has, or the owner itself by a later grant.
        foreach (var next in (LockOwner[])[Cy, Bob])
        {
            var token = await GrantAsync(next);
            Assert.Equal(RenewalReply.NotHeld, await ClaimAsync(Bob, next == Bob ? token - 1 : token));
            await AssertHeldByAsync(next);
            await ReleaseAsync(next);
        }
    }

    [Fact]
    public async Task A_claim_of_what_was_revoked_is_told_so_and_has_nothing()
    {
        await GrantAsync(Ada);
        await QueueAsync(Bob);
        await ReleaseAsync(Ada);
        var token = (await HeldAsync()).FencingToken;
        Assert.True(await Administration.RevokeAsync(LockName, token, Long, Cancellation));
        Assert.Equal(RenewalReply.Revoked, await ClaimAsync(Bob, token));
        Assert.Null(await HolderAsync());
    }

    /// <summary>A release of a node that hears of its next waiter by the reply.</summary>
    private Task<ReleaseReply> ReleaseToOwnAsync(LockOwner owner, TimeSpan? claimWindow = null) =>
        Store.ReleaseAsync(Requests.Release(LockName, owner, claimWindow ?? Long / 3) with { TakesHandover = true }, Cancellation).WaitAsync(Bound, Cancellation);

    private async Task<RenewalReply> ClaimAsync(LockOwner owner, long? token) =>
        Assert.Single(await Store.RenewAsync([Requests.Renew(LockName, owner, Long, token) with { ClaimedEntry = 1 }], Cancellation).WaitAsync(Bound, Cancellation));
}
