using Coordination.Stores;
using Coordination.Testing.Contracts.Observations;
using Coordination.Testing.Contracts.Waiting;

namespace Coordination.Testing.Contracts;

#pragma warning disable CS1591, RS0016 // Tests say by their names what they show, and are no interface to code against.

/// <content>Waiters: order, liveness, handover and notifications.</content>
public abstract partial class LockStoreContract
{
    [Fact]
    [Promise("G4")]
    public async Task A_lock_that_lapsed_goes_to_its_live_waiter()
    {
        var dead = await GrantAsync(Ada, Short);
        await QueueAsync(Bob);
        await LapseAsync(LockName);

        var reply = await AskAsync(Bob);
        Assert.True(reply.FencingToken > dead);
        Assert.Equal(ReleaseReply.Released, await ReleaseAsync(Bob));
        await AssertNothingLeftAsync(LockName);
    }

    [Fact]
    [Promise("G4")]
    public async Task A_lock_that_lapsed_is_free_when_nobody_waits()
    {
        await GrantAsync(Ada, Short);
        await LapseAsync(LockName);
        Assert.True((await TryAsync(Bob)).IsGranted);
    }

    [Theory]
    [Promise("G9")]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Who_comes_later_does_not_overtake_a_waiter_when_the_lock_lapsed(bool wait)
    {
        var heard = new Heard();
        await using var listening = await ListenAsync(Bob, heard);
        await GrantAsync(Ada, Short);
        await QueueAsync(Bob);
        await LapseAsync(LockName);

        var reply = wait ? await AskAsync(Cy) : await TryAsync(Cy);
        Assert.False(reply.IsGranted);
        Assert.Equal(Bob, reply.Holder!.Owner);
        await Eventually.IsTrueAsync(() => heard.Count > 0, Bound);
        AssertGrant(LockName, Bob, Assert.Single(heard.All));
        Assert.Equal(reply.Holder.FencingToken, (await AskAsync(Bob)).FencingToken);
    }

    [Fact]
    [Promise("G9")]
    public async Task A_holder_that_lapsed_goes_behind_those_who_waited()
    {
        await GrantAsync(Ada, Short);
        await QueueAsync(Bob);
        await LapseAsync(LockName);
        Assert.False((await AskAsync(Ada, entry: 2)).IsGranted);
        await AssertHeldByAsync(Bob);
    }

    [Fact]
    [Promise("G9")]
    public async Task The_lock_passes_on_in_the_order_of_arrival()
    {
        await GrantAsync(Ada);
        var waiters = Enumerable.Range(0, 6).Select(i => Owner($"waiter{i % 3}", i)).ToArray();
        for (var i = 0; i < waiters.Length; i++)
        {
            Assert.Equal(i, (await AskAsync(waiters[i])).WaitersBefore);
        }

        // Asking again refreshes the place and changes nothing about it.
        foreach (var i in (int[])[4, 0, 2, 2])
        {
            Assert.Equal(i, (await AskAsync(waiters[i])).WaitersBefore);
        }

        Assert.Equal(waiters.Length, await Leftovers.CountWaitersAsync(Store, LockName));
        await ReleaseAsync(Ada);
        foreach (var waiter in waiters)
        {
            await AssertHeldByAsync(waiter);
            Assert.True((await AskAsync(waiter)).IsGranted);
            Assert.Equal(ReleaseReply.Released, await ReleaseAsync(waiter));
        }

        await AssertNothingLeftAsync(LockName);
    }

    [Fact]
    [Promise("G9")]
    [Failure("F9")]
    public async Task A_waiter_that_no_longer_asks_is_skipped_and_one_that_does_is_not()
    {
        await GrantAsync(Ada, TimeSpan.FromSeconds(1));
        await AskAsync(Bob, claimWindow: Short);
        await AskAsync(Cy, claimWindow: Short);
        Assert.True(await RenewAsync(Ada));
        await AskAsync(Cy, claimWindow: Short);

        // Longer than the holder's time to live when Bob asked, his claim window, and a second of grace.
        await PassAsync((2 * Short) + TimeSpan.FromSeconds(1));
        await ReleaseAsync(Ada);
        await AssertHeldByAsync(Cy);
    }

    [Fact]
    [Promise("G9")]
    [Failure("F9")]
    public async Task A_waiter_that_does_not_claim_is_skipped_until_it_asks_again_at_its_old_place()
    {
        await GrantAsync(Ada);
        await QueueAsync(Bob, Cy, Dan);
        await ReleaseAsync(Ada, claimWindow: Short);
        await AssertHeldByAsync(Bob);
        await LapseAsync(LockName);

        // Once is enough: neither this nor the next one waits for Bob again.
        Assert.True((await AskAsync(Cy)).IsGranted);
        Assert.Equal(ReleaseReply.Released, await ReleaseAsync(Cy));
        await AssertHeldByAsync(Dan);
        Assert.True((await AskAsync(Dan)).IsGranted);

        var eve = Owner("eve");
        await QueueAsync(eve);
        Assert.Equal(0, (await AskAsync(Bob)).WaitersBefore);
        Assert.Equal(1, (await AskAsync(eve)).WaitersBefore);
        await ReleaseAsync(Dan);
        await AssertHeldByAsync(Bob);
    }

    [Fact]
    [Promise("G8")]
    public async Task A_waiter_that_leaves_the_queue_is_not_passed_the_lock()
    {
        await GrantAsync(Ada);
        await QueueAsync(Bob, Cy);
        Assert.Equal(ReleaseReply.NotHeld, await ReleaseAsync(Bob));
        Assert.Equal(0, (await AskAsync(Cy)).WaitersBefore);
        Assert.Equal(ReleaseReply.NotHeld, await ReleaseAsync(Cy));
        Assert.Equal(ReleaseReply.Released, await ReleaseAsync(Ada));
        await AssertNothingLeftAsync(LockName);
    }

    [Fact]
    public async Task Who_tries_once_does_not_join_the_queue()
    {
        await GrantAsync(Ada);
        Assert.False((await TryAsync(Bob)).IsGranted);
        Assert.Equal(0, (await AskAsync(Cy)).WaitersBefore);
        await ReleaseAsync(Cy);
        await ReleaseAsync(Ada);
        await AssertNothingLeftAsync(LockName);
    }

    [Fact]
    [Promise("G9")]
    public async Task Who_tries_once_does_not_get_a_lock_that_was_passed_to_a_waiter()
    {
        await GrantAsync(Ada);
        await QueueAsync(Bob);
        await ReleaseAsync(Ada);
        Assert.Equal(Bob, (await TryAsync(Cy)).Holder!.Owner);
        Assert.Equal(Bob, (await TryAsync(Ada)).Holder!.Owner);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_claim_has_the_token_that_was_passed_and_the_whole_lease(bool wait)
    {
        await GrantAsync(Ada);
        await QueueAsync(Bob);
        await ReleaseAsync(Ada, claimWindow: Long / 3);
        var passed = await HeldAsync();
        Assert.InRange(passed.TimeToLive, TimeSpan.Zero, Long / 3);

        var claim = wait ? await AskAsync(Bob) : await TryAsync(Bob);
        Assert.Equal(passed.FencingToken, claim.FencingToken);
        Assert.InRange(await TimeToLiveAsync(), Long - Bound, Long);
        Assert.Equal(ReleaseReply.Released, await ReleaseAsync(Bob));
        await AssertNothingLeftAsync(LockName);
    }

    [Fact]
    public async Task A_claim_with_a_lease_that_is_shorter_than_the_claim_window_has_that_lease()
    {
        await GrantAsync(Ada);
        await QueueAsync(Bob);
        await ReleaseAsync(Ada, claimWindow: 2 * Long);
        await AskAsync(Bob, lease: Long);
        Assert.InRange(await TimeToLiveAsync(), TimeSpan.Zero, Long);
    }

    [Fact]
    public async Task A_lock_that_was_passed_on_is_claimed_by_a_renewal()
    {
        await GrantAsync(Ada);
        await QueueAsync(Bob);
        await ReleaseAsync(Ada, claimWindow: Long / 3);
        var passed = await HeldAsync();

        Assert.True(await RenewAsync(Bob));
        var holder = await HeldAsync();
        Assert.Equal((Bob, passed.FencingToken), (holder.Owner, holder.FencingToken));
        Assert.InRange(holder.TimeToLive, Long - Bound, Long);
    }

    [Fact]
    [Failure("F5")]
    public async Task A_waiter_that_was_passed_the_lock_and_releases_it_passes_it_on()
    {
        var heard = new Heard();
        await using var listening = await ListenAsync(Cy, heard);
        await GrantAsync(Ada);
        await QueueAsync(Bob, Cy);
        await ReleaseAsync(Ada);
        Assert.Equal(ReleaseReply.Released, await ReleaseAsync(Bob));
        await AssertHeldByAsync(Cy);
        await Eventually.IsTrueAsync(() => heard.Count > 0, Bound);

        Assert.Equal(ReleaseReply.Released, await ReleaseAsync(Cy));
        await AssertNothingLeftAsync(LockName);
    }

    [Fact]
    [Failure("F8")]
    public async Task A_release_grants_the_lock_to_one_waiter_and_tells_its_node()
    {
        LockOwner[] all = [Ada, Bob, Cy, Dan];
        var heard = all.ToDictionary(owner => owner, _ => new Heard());
        var listening = new List<IAsyncDisposable>();
        foreach (var owner in all)
        {
            listening.Add(await ListenAsync(owner, heard[owner]));
        }

        await GrantAsync(Ada);
        await QueueAsync(Bob, Cy, Dan);
        Assert.All(heard.Values, h => Assert.Equal(0, h.Count));
        foreach (var (from, to) in all.Zip(all.Skip(1)))
        {
            await ReleaseAsync(from);
            await Eventually.IsTrueAsync(() => heard[to].Grants.Any(), Bound);
            Assert.Equal(Array.IndexOf(all, to), heard.Values.Sum(h => h.Grants.Count()));
        }

        await ReleaseAsync(Dan);
        await Administration.PingAsync(Cancellation);
        Assert.Equal(0, heard[Ada].Count);
        Assert.All(all.Skip(1), owner => AssertGrant(LockName, owner, Assert.Single(heard[owner].Grants)));
        foreach (var subscription in listening)
        {
            await subscription.DisposeAsync();
        }
    }

    [Fact]
    [Failure("F9")]
    public async Task A_release_tells_three_more_nodes_when_to_ask_again_one_claim_window_apart()
    {
        var sameNode = new LockOwner(Cy.NodeId, 2);
        LockOwner[] queue = [Bob, Cy, sameNode, Dan, Owner("eve"), Owner("fay")];
        var heard = queue.Select(owner => owner.NodeId).Distinct().ToDictionary(node => node, _ => new Heard());
        var listening = new List<IAsyncDisposable>();
        foreach (var owner in queue.DistinctBy(owner => owner.NodeId))
        {
            listening.Add(await ListenAsync(owner, heard[owner.NodeId]));
        }

        await GrantAsync(Ada);
        await QueueAsync(queue);
        await ReleaseAsync(Ada, claimWindow: Long / 3);
        await Eventually.IsTrueAsync(() => heard.Values.Sum(h => h.Count) >= 4, Bound);

        AssertGrant(LockName, Bob, Assert.Single(heard[Bob.NodeId].All));
        AssertToldToAskAgain(Cy, Long / 3);
        AssertToldToAskAgain(Dan, 2 * Long / 3);
        AssertToldToAskAgain(queue[4], Long);
        Assert.Equal(0, heard[queue[5].NodeId].Count);
        foreach (var subscription in listening)
        {
            await subscription.DisposeAsync();
        }

        void AssertToldToAskAgain(LockOwner owner, TimeSpan after)
        {
            var told = Assert.Single(heard[owner.NodeId].All);
            Assert.Equal((LockNotificationKind.AskAgain, LockName, owner), (told.Kind, told.LockName, told.Owner));
            Assert.InRange(told.After, after - TimeSpan.FromMilliseconds(10), after + TimeSpan.FromMilliseconds(10));
        }
    }

    [Fact]
    [Promise("G9")]
    public async Task Who_tries_once_does_not_overtake_a_waiter_of_a_lock_that_was_left_free()
    {
        await GrantAsync(Ada);
        await QueueAsync(Bob);
        await ReleaseAsync(Ada, allowBarging: true);
        Assert.Null(await HolderAsync());
        Assert.Equal(Bob, (await TryAsync(Cy)).Holder!.Owner);
    }

    [Fact]
    public async Task Who_may_barge_gets_a_free_lock_before_waiters_and_not_one_that_was_passed_on()
    {
        var heard = new Heard();
        await using var listening = await ListenAsync(Bob, heard);
        await GrantAsync(Ada);
        await QueueAsync(Bob);
        await ReleaseAsync(Ada, allowBarging: true);
        await Eventually.IsTrueAsync(() => heard.Count > 0, Bound);
        Assert.Equal(LockNotification.AskAgain(LockName, Bob, TimeSpan.Zero), Assert.Single(heard.All));
        Assert.True((await TryAsync(Ada, entry: 2, allowBarging: true)).IsGranted);

        // Bob keeps his place, and gets it from a fair release.
        Assert.Equal(0, (await AskAsync(Bob)).WaitersBefore);
        await ReleaseAsync(Ada, entry: 2);
        Assert.Equal(Bob, (await TryAsync(Ada, entry: 3, allowBarging: true)).Holder!.Owner);
        Assert.True((await AskAsync(Bob)).IsGranted);
        await ReleaseAsync(Bob);
        await AssertNothingLeftAsync(LockName);
    }

    [Fact]
    public async Task A_subscription_that_was_ended_hears_nothing_more()
    {
        var (bobs, cys) = (new Heard(), new Heard());
        await using var listening = await ListenAsync(Cy, cys);
        var ended = await ListenAsync(Bob, bobs);
        await ended.DisposeAsync();

        await GrantAsync(Ada);
        await QueueAsync(Bob, Cy);
        await ReleaseAsync(Ada);
        await ReleaseAsync(Bob);

        // Cy was told after Bob would have been.
        await Eventually.IsTrueAsync(() => cys.Count > 0, Bound);
        Assert.Equal(0, bobs.Count);
    }

    [Fact]
    [Promise("G7")]
    [Failure("F2")]
    public async Task With_nobody_listening_waiters_that_go_by_the_time_to_live_get_the_lock()
    {
        await GrantAsync(Ada, Short);
        await Task.WhenAll(WaitAsync(Bob), WaitAsync(Cy), WaitAsync(Dan)).WaitAsync(Bound, Cancellation);
        await AssertNothingLeftAsync(LockName);

        async Task WaitAsync(LockOwner owner)
        {
            AcquireReply reply;
            while (!(reply = await AskAsync(owner, lease: Short, claimWindow: Short)).IsGranted)
            {
                // What is tested: such a waiter sleeps for as long as the reply says, and nothing wakes it.
                await Task.Delay(reply.Holder!.TimeToLive + TimeSpan.FromMilliseconds(5), Cancellation);
            }

            await ReleaseAsync(owner, claimWindow: Short);
        }
    }
}
