using Coordination.Stores;
using Coordination.Testing.Contracts.Observations;
using Coordination.Testing.Contracts.Waiting;

namespace Coordination.Testing.Contracts;

#pragma warning disable CS1591, RS0016 // Tests say by their names what they show, and are no interface to code against.

/// <content>Waiters: order, handover to as many as fit, and the dead.</content>
public abstract partial class LockStoreShareContract
{
    [Fact]
    [Promise("G9")]
    public async Task Permits_pass_on_in_the_order_of_arrival()
    {
        await GrantAsync(Ada, OneOfTwo);
        await GrantAsync(Bob, OneOfTwo);
        var waiters = Enumerable.Range(0, 5).Select(i => Owner($"waiter{i % 2}", i)).ToArray();
        for (var i = 0; i < waiters.Length; i++)
        {
            var reply = await AskAsync(waiters[i], OneOfTwo);
            Assert.Equal(i, reply.WaitersBefore);
            Assert.Contains(reply.Holder!.Owner, (LockOwner[])[Ada, Bob]);
        }

        var (leaving, other) = (Bob, Ada);
        foreach (var next in waiters)
        {
            // Who tries once does not come before.
            Assert.False((await TryAsync(Dan, OneOfTwo)).IsGranted);
            Assert.Equal(ReleaseReply.Released, await ReleaseAsync(leaving, OneOfTwo));
            await AssertHeldByAsync(other, next);
            Assert.True((await AskAsync(next, OneOfTwo)).IsGranted);
            (leaving, other) = (other, next);
        }

        await ReleaseAsync(leaving, OneOfTwo);
        await ReleaseAsync(other, OneOfTwo);
        await AssertNothingLeftAsync(LockName);
    }

    [Fact]
    [Promise("G9")]
    public async Task A_writer_that_waits_is_not_overtaken_by_readers_that_came_later()
    {
        await GrantAsync(Ada, LockShare.Read);
        Assert.Equal(0, (await AskAsync(Bob, LockShare.Write)).WaitersBefore);
        Assert.Equal(1, (await AskAsync(Cy, LockShare.Read)).WaitersBefore);
        Assert.Equal(2, (await AskAsync(Dan, LockShare.UpgradeableRead)).WaitersBefore);
        Assert.False((await TryAsync(Eve, LockShare.Read)).IsGranted);

        await ReleaseAsync(Ada, LockShare.Read);
        await AssertHeldByAsync(Bob);
        await ReleaseAsync(Bob, LockShare.Write);
        await AssertHeldByAsync(Cy, Dan);
    }

    [Fact]
    [Promise("G9")]
    [Failure("F8")]
    public async Task A_release_lets_in_as_many_as_fit_in_one_step_and_tells_each_of_them()
    {
        LockOwner[] fitting = [Bob, Cy, new(Cy.NodeId, 2), Dan];
        var heard = fitting.Append(Eve).Select(owner => owner.NodeId).Distinct().ToDictionary(node => node, _ => new Heard());
        var listening = new List<IAsyncDisposable>();
        foreach (var owner in fitting.Append(Eve).DistinctBy(owner => owner.NodeId))
        {
            listening.Add(await ListenAsync(owner, heard[owner.NodeId]));
        }

        await GrantAsync(Ada, LockShare.Write);
        await QueueAsync(LockShare.Read, fitting[..3]);
        await QueueAsync(LockShare.UpgradeableRead, Dan);
        await QueueAsync(LockShare.Write, Eve);
        await QueueAsync(LockShare.Read, Owner("fay"));
        Assert.Equal(ReleaseReply.Released, await ReleaseAsync(Ada, LockShare.Write, claimWindow: Long / 3));

        await AssertHeldByAsync(fitting);
        await Eventually.IsTrueAsync(() => heard.Values.Sum(h => h.Grants.Count()) >= fitting.Length, Bound);
        Assert.All(fitting, owner => AssertGrant(owner, Assert.Single(heard[owner.NodeId].Grants, told => told.Owner == owner)));
        Assert.Empty(heard[Eve.NodeId].Grants);
        Assert.All((await InspectAsync()).Holders, holder => Assert.InRange(holder.TimeToLive, TimeSpan.Zero, Long / 3));

        // Each claims its own, by asking or by a renewal.
        var token = (await HolderAsync(Bob)).FencingToken;
        Assert.Equal(token, (await AskAsync(Bob, LockShare.Read)).FencingToken);
        Assert.Equal([RenewalReply.Renewed], await Store.RenewAsync([Requests.Renew(LockName, Cy, Long) with { ClaimedEntry = 1, Share = LockShare.Read }], Cancellation));
        Assert.InRange((await HolderAsync(Cy)).TimeToLive, Long - Bound, Long);
        await AssertWaitingAsync(Eve, Owner("fay"));
        foreach (var subscription in listening)
        {
            await subscription.DisposeAsync();
        }
    }

    [Fact]
    [Promise("G9")]
    public async Task A_release_that_hands_over_by_its_reply_lets_in_the_others_that_fit_as_well()
    {
        var (own, heard) = (new LockOwner(Ada.NodeId, 2), new Heard());
        await using var listening = await ListenAsync(Bob, heard);
        var before = await GrantAsync(Ada, LockShare.Write);
        await QueueAsync(LockShare.Read, own, Bob);
        var reply = await Store.ReleaseAsync(Requests.Release(LockName, Ada, Long) with { TakesHandover = true, Share = LockShare.Write }, Cancellation);

        Assert.Equal(ReleaseOutcome.Released, reply.Outcome);
        await AssertHeldByAsync(own, Bob);
        await Eventually.IsTrueAsync(() => heard.Grants.Any(), Bound);
        AssertGrant(Bob, Assert.Single(heard.Grants));
        Assert.True(reply.NextOwner is null || reply.NextOwner == own, $"The lock was handed to {reply.NextOwner}.");
        Assert.Equal((await HolderAsync(own)).FencingToken, reply.Handover?.FencingToken ?? (await HolderAsync(own)).FencingToken);
        Assert.True((await HolderAsync(own)).FencingToken > before.FencingToken);
    }

    [Fact]
    [Promise("G9")]
    public async Task A_permit_that_is_handed_over_has_its_number_wherever_it_is_told()
    {
        var heard = new Heard();
        await using var listening = await ListenAsync(Cy, heard);
        await GrantAsync(Ada, OneOfTwo);
        await GrantAsync(Bob, OneOfTwo);
        await QueueAsync(OneOfTwo, Cy);
        await QueueAsync(OneOfTwo, new LockOwner(Ada.NodeId, 2));
        await ReleaseAsync(Bob, OneOfTwo);
        await Eventually.IsTrueAsync(() => heard.Grants.Any(), Bound);
        Assert.Equal(1, Assert.Single(heard.Grants).Handover is { } told ? told.Permit : 1);
        Assert.Equal(1, (await AskAsync(Cy, OneOfTwo)).Permit);

        var reply = await Store.ReleaseAsync(Requests.Release(LockName, Ada, Long) with { TakesHandover = true, Share = OneOfTwo }, Cancellation);
        Assert.Equal(0, reply.Handover is { } handover ? handover.Permit : 0);
        Assert.Equal(0, (await HolderAsync(new LockOwner(Ada.NodeId, 2))).Permit);
    }

    [Fact]
    [Promise("G8")]
    public async Task A_waiter_that_leaves_lets_in_those_behind_it()
    {
        var heard = new Heard();
        await using var listening = await ListenAsync(Cy, heard);
        await GrantAsync(Ada, LockShare.Read);
        await QueueAsync(LockShare.Write, Bob);
        await QueueAsync(LockShare.Read, Cy);
        await QueueAsync(LockShare.Write, Dan);
        Assert.Equal(ReleaseReply.NotHeld, await ReleaseAsync(Bob, LockShare.Write));
        await AssertHeldByAsync(Ada, Cy);
        await Eventually.IsTrueAsync(() => heard.Grants.Any(), Bound);
        AssertGrant(Cy, Assert.Single(heard.Grants));

        await ReleaseAsync(Ada, LockShare.Read);
        await ReleaseAsync(Cy, LockShare.Read);
        await AssertHeldByAsync(Dan);
        await ReleaseAsync(Dan, LockShare.Write);
        await AssertNothingLeftAsync(LockName);
    }

    [Fact]
    [Promise("G9")]
    [Failure("F9")]
    public async Task A_dead_waiter_is_skipped_by_those_who_fit()
    {
        await GrantAsync(Ada, LockShare.Read, Short);
        Assert.False((await AskAsync(Bob, LockShare.Write, claimWindow: Short)).IsGranted);
        Assert.Equal(RenewalReply.Renewed, await RenewAsync(Ada, LockShare.Read));
        Assert.False((await AskAsync(Cy, LockShare.Read)).IsGranted);

        // Longer than the holder's time to live when Bob asked, his claim window, and a second of grace.
        await PassAsync((2 * Short) + TimeSpan.FromSeconds(1));
        Assert.True((await AskAsync(Cy, LockShare.Read)).IsGranted);
        Assert.True((await TryAsync(Dan, LockShare.Read)).IsGranted);

        // It is alive again once it asks, at its place.
        Assert.Equal(0, (await AskAsync(Bob, LockShare.Write)).WaitersBefore);
        Assert.False((await TryAsync(Eve, LockShare.Read)).IsGranted);
    }

    [Fact]
    [Promise("G4", "G9")]
    [Failure("F9")]
    public async Task A_waiting_writer_that_died_keeps_readers_out_for_its_claim_windows()
    {
        // However long the lease of a reader lasts.
        await GrantAsync(Ada, LockShare.Read, TimeSpan.FromDays(1));
        Assert.False((await AskAsync(Bob, LockShare.Write, claimWindow: Short)).IsGranted);
        Assert.False((await AskAsync(Cy, LockShare.Read)).IsGranted);

        // A claim window in which it should have asked, the one to hear in, and a second of grace.
        await PassAsync((2 * Short) + TimeSpan.FromSeconds(1));
        Assert.True((await AskAsync(Cy, LockShare.Read)).IsGranted);
        await AssertHeldByAsync(Ada, Cy);
    }

    [Fact]
    [Promise("G9")]
    [Failure("F9")]
    public async Task A_permit_that_is_not_claimed_goes_to_the_next_and_the_other_holders_keep_theirs()
    {
        await GrantAsync(Ada, OneOfTwo);
        await GrantAsync(Bob, OneOfTwo);
        await QueueAsync(OneOfTwo, Cy, Dan);
        await ReleaseAsync(Ada, OneOfTwo, claimWindow: Short);
        var passed = await HolderAsync(Cy);
        await LapseAsync(LockName, Cy);

        var next = await AskAsync(Dan, OneOfTwo);
        Assert.Equal(0, next.Permit);
        Assert.True(next.FencingToken > passed.FencingToken);
        await AssertHeldByAsync(Bob, Dan);
        Assert.Equal(0, (await AskAsync(Cy, OneOfTwo)).WaitersBefore);
        await ReleaseAsync(Bob, OneOfTwo);
        await AssertHeldByAsync(Cy, Dan);
    }

    [Fact]
    [Promise("G4", "G9")]
    public async Task The_permit_of_a_dead_holder_is_back_with_its_lease_and_goes_to_who_waited_first()
    {
        await GrantAsync(Ada, OneOfTwo);
        await GrantAsync(Bob, OneOfTwo, Short);
        await QueueAsync(OneOfTwo, Cy, Dan);
        await LapseAsync(LockName, Bob);

        // Whoever asks, it is the turn of the first.
        Assert.False((await TryAsync(Eve, OneOfTwo)).IsGranted);
        Assert.False((await AskAsync(Dan, OneOfTwo)).IsGranted);
        await AssertHeldByAsync(Ada, Cy);
        Assert.Equal(1, (await AskAsync(Cy, OneOfTwo)).Permit);
        Assert.Equal(RenewalReply.NotHeld, await RenewAsync(Bob, OneOfTwo));
        await AssertHeldByAsync(Ada, Cy);
    }

    [Fact]
    [Promise("G4")]
    public async Task A_permit_that_is_not_claimed_or_whose_holder_died_is_free_for_who_tries()
    {
        await GrantAsync(Ada, OneOfTwo, Short);
        await GrantAsync(Bob, OneOfTwo);
        await LapseAsync(LockName, Ada);
        Assert.Equal(0, (await GrantAsync(Cy, OneOfTwo)).Permit);

        await QueueAsync(OneOfTwo, Dan);
        await ReleaseAsync(Bob, OneOfTwo, claimWindow: Short);
        await AssertHeldByAsync(Cy, Dan);
        await LapseAsync(LockName, Dan);
        Assert.Equal(1, (await GrantAsync(Eve, OneOfTwo)).Permit);
    }

    [Fact]
    [Promise("G4")]
    public async Task The_lock_of_a_dead_writer_goes_to_all_readers_that_waited_first()
    {
        await GrantAsync(Ada, LockShare.Write, Short);
        await QueueAsync(LockShare.Read, Bob, Cy);
        await QueueAsync(LockShare.Write, Dan);
        await LapseAsync(LockName, Ada);
        Assert.False((await AskAsync(Dan, LockShare.Write)).IsGranted);
        await AssertHeldByAsync(Bob, Cy);
    }

    [Fact]
    [Promise("G7")]
    [Failure("F2")]
    public async Task With_nobody_listening_waiters_that_go_by_the_time_to_live_get_a_share()
    {
        await GrantAsync(Ada, LockShare.Write, Short);
        LockShare[] shares = [LockShare.Read, LockShare.Write, LockShare.Read, LockShare.UpgradeableRead];
        await Task.WhenAll(shares.Select((share, i) => WaitAsync(Owner("waiter", i), share))).WaitAsync(Bound, Cancellation);
        await AssertNothingLeftAsync(LockName);

        async Task WaitAsync(LockOwner owner, LockShare share)
        {
            AcquireReply reply;
            while (!(reply = await AskAsync(owner, share, Short, Short)).IsGranted)
            {
                // What is tested: such a waiter sleeps for as long as the reply says, and nothing wakes it.
                await Task.Delay(reply.Holder!.TimeToLive + TimeSpan.FromMilliseconds(5), Cancellation);
            }

            await ReleaseAsync(owner, share, claimWindow: Short);
        }
    }

    [Fact]
    public async Task A_refusal_tells_the_last_token_so_that_a_waiter_learns_of_a_turn_that_it_missed()
    {
        await GrantAsync(Ada, OneOfTwo);
        var last = await GrantAsync(Bob, OneOfTwo);
        Assert.Equal(last.FencingToken, (await AskAsync(Cy, OneOfTwo)).LastToken);
        Assert.Equal(last.FencingToken, (await AskAsync(Cy, OneOfTwo)).LastToken);
        await QueueAsync(OneOfTwo, Dan);
        await ReleaseAsync(Ada, OneOfTwo, claimWindow: Short);
        await LapseAsync(LockName, Cy);
        var next = await AskAsync(Dan, OneOfTwo);
        Assert.Equal(next.FencingToken, (await AskAsync(Cy, OneOfTwo)).LastToken);
    }
}
