using Coordination.Stores;
using Coordination.Testing.Contracts.Observations;
using Coordination.Testing.Contracts.Waiting;

namespace Coordination.Testing.Contracts;

#pragma warning disable CS1591, RS0016 // Tests say by their names what they show, and are no interface to code against.

/// <content>Locks that stay held for some time at least.</content>
public abstract partial class LockStoreContract
{
    [Fact]
    public async Task A_lock_that_is_locked_for_some_time_at_least_is_nobodys_for_the_rest_of_it()
    {
        var token = await GrantAsync(Ada, Bound);
        Assert.Equal(ReleaseReply.Released, await ReleaseAsync(Ada, lockAtLeastFor: Long));
        var holder = await HeldAsync();
        Assert.Equal((Ada, token, true), (holder.Owner, holder.FencingToken, holder.IsReleased));
        Assert.InRange(holder.TimeToLive, Long - Bound, Long);

        // Not the owner's any more, nor anybody else's yet.
        Assert.False((await TryAsync(Ada, entry: 2)).IsGranted);
        var reply = await TryAsync(Bob, allowBarging: true);
        Assert.False(reply.IsGranted);
        Assert.True(reply.Holder!.IsReleased);
        Assert.Equal(RenewalReply.NotHeld, await RenewalReplyAsync(Ada));
        Assert.Equal(ReleaseReply.NotHeld, await ReleaseAsync(Ada, lockAtLeastFor: Long));
        Assert.InRange((await HeldAsync()).TimeToLive, Long - Bound, holder.TimeToLive);
    }

    [Fact]
    public async Task A_lock_that_was_locked_for_long_enough_passes_on_at_once()
    {
        await GrantAsync(Ada);
        await QueueAsync(Bob);
        await PassAsync(Short);
        Assert.Equal(ReleaseReply.Released, await ReleaseAsync(Ada, lockAtLeastFor: Short));
        await AssertHeldByAsync(Bob);
        Assert.False((await HeldAsync()).IsReleased);
    }

    [Fact]
    public async Task The_first_waiter_is_told_when_the_rest_is_over_and_gets_the_lock_then()
    {
        var heard = new Heard();
        await using var listening = await ListenAsync(Bob, heard);
        var token = await GrantAsync(Ada);
        await QueueAsync(Bob, Cy);
        var rest = 4 * Short;
        await ReleaseAsync(Ada, lockAtLeastFor: rest);
        await Eventually.IsTrueAsync(() => heard.Count > 0, Bound);
        var told = Assert.Single(heard.All);
        Assert.Equal((LockNotificationKind.AskAgain, Bob), (told.Kind, told.Owner));
        Assert.InRange(told.After, TimeSpan.FromTicks(1), rest);

        await LapseAsync(LockName);
        Assert.True((await AskAsync(Bob)).FencingToken > token);
    }

    [Fact]
    public async Task Only_the_last_entry_of_an_owner_begins_the_rest()
    {
        await GrantAsync(Ada);
        Assert.True((await TryAsync(Ada, entry: 2)).IsGranted);
        Assert.Equal(ReleaseReply.StillHeldByOwner, await ReleaseAsync(Ada, entry: 2, lockAtLeastFor: Long));
        Assert.False((await HeldAsync()).IsReleased);
        Assert.Equal(ReleaseReply.Released, await ReleaseAsync(Ada, lockAtLeastFor: Long));
        Assert.True((await HeldAsync()).IsReleased);
    }

    [Fact]
    public async Task A_grant_that_is_undone_begins_no_rest()
    {
        await GrantAsync(Ada);
        Assert.Equal(ReleaseReply.Released, await ReleaseAsync(Ada));
        await AssertNothingLeftAsync(LockName);
    }
}
