using Coordination.Stores;

namespace Coordination.Tests.Stores;

/// <content>Waiters, handover, and what operators and options change of it.</content>
public sealed partial class LockProtocolTests
{
    [Fact]
    [Promise("G9")]
    public void Waiters_get_the_lock_in_the_order_in_which_they_came()
    {
        Granted(Ada);
        Queue(Bob, Cy, Dan);
        Ask(Cy);
        Release(Ada);
        foreach (var next in (LockOwner[])[Bob, Cy, Dan])
        {
            Assert.Equal((next, ClaimWindow), (Holder()!.Owner, Holder()!.TimeToLive));
            Assert.Contains(LockNotification.Granted(LockName, next), _told);
            Assert.False(Try(Ada).IsGranted);
            Assert.True(Ask(next).IsGranted);
            Assert.DoesNotContain(next, _state.Waiters.Select(waiter => waiter.Owner));
            Assert.Equal(ReleaseReply.Released, Release(next));
        }

        Assert.True(LockProtocol.IsEmpty(_state));
    }

    [Fact]
    [Promise("G9")]
    public void Who_finds_a_lapsed_lock_passes_it_to_the_one_who_waits()
    {
        Granted(Ada);
        Ask(Bob);
        Pass(Lease);
        var reply = Ask(Cy);
        Assert.Equal((Bob, 1), (reply.Holder!.Owner, reply.WaitersBefore));
        Assert.Equal([LockNotification.Granted(LockName, Bob)], _told);
        Assert.Equal(reply.Holder.FencingToken, Ask(Bob).FencingToken);
    }

    [Fact]
    [Failure("F8")]
    public void One_waiter_is_told_of_the_lock_and_the_next_of_three_nodes_when_to_ask()
    {
        var (bobs, cys) = (new LockOwner(Bob.NodeId, 2), new LockOwner(Cy.NodeId, 2));
        var (eve, fay) = (new LockOwner("eve", 1), new LockOwner("fay", 1));
        Granted(Ada);
        Queue(Bob, bobs, Cy, cys, Dan, eve, fay);
        Release(Ada);
        Assert.Equal(
            [
                LockNotification.Granted(LockName, Bob),
                LockNotification.AskAgain(LockName, Cy, ClaimWindow),
                LockNotification.AskAgain(LockName, Dan, 2 * ClaimWindow),
                LockNotification.AskAgain(LockName, eve, 3 * ClaimWindow),
            ],
            _told);
    }

    [Fact]
    [Failure("F9")]
    public void A_waiter_that_does_not_claim_costs_one_window_and_keeps_its_place()
    {
        Granted(Ada);
        Queue(Bob, Cy, Dan);
        Release(Ada);
        Assert.Equal([false, true, true], LockProtocol.Inspect(_state, LockName, 10, _now).Waiters.Select(waiter => waiter.IsAlive));
        Pass(ClaimWindow);
        Assert.True(Ask(Cy).IsGranted);
        Release(Cy);
        Assert.Equal(Dan, Holder()!.Owner);

        Assert.True(Ask(Dan).IsGranted);
        Ask(Cy);
        Assert.Equal(0, Ask(Bob).WaitersBefore);
        Release(Dan);
        Assert.Equal(Bob, Holder()!.Owner);
    }

    [Fact]
    [Promise("G9")]
    [Failure("F9")]
    public void A_waiter_that_no_longer_asks_is_skipped()
    {
        Granted(Ada);
        Queue(Bob, Cy);
        for (var i = 0; i < 3; i++)
        {
            Pass(TimeSpan.FromSeconds(7));
            Renew(Ada);
            Ask(Cy);
        }

        Assert.Equal([false, true], LockProtocol.Inspect(_state, LockName, 10, _now).Waiters.Select(waiter => waiter.IsAlive));
        Release(Ada);
        Assert.Equal([LockNotification.Granted(LockName, Cy)], _told);
    }

    [Fact]
    public void A_waiter_that_has_been_dead_for_a_minute_makes_room_for_the_next()
    {
        Granted(Ada);
        Ask(Bob);
        Pass(Lease + ClaimWindow + TimeSpan.FromSeconds(1 + 60));
        Granted(Ada, lease: TimeSpan.FromMinutes(1));
        Assert.Equal(1, Ask(Cy).WaitersBefore);
        Pass(TimeSpan.FromTicks(1));
        Assert.Equal(1, Ask(Dan).WaitersBefore);
        Assert.Equal([Cy, Dan], _state.Waiters.Select(waiter => waiter.Owner));
    }

    [Fact]
    [Promise("G8")]
    [Failure("F5")]
    public void A_waiter_that_gives_up_as_it_is_granted_passes_the_lock_on_at_once()
    {
        Granted(Ada);
        Queue(Bob, Cy);
        var handedOver = Holder()!.FencingToken;
        Release(Ada);
        Assert.Equal(ReleaseReply.Released, Release(Bob));
        Assert.Equal(Cy, Holder()!.Owner);
        Assert.True(Holder()!.FencingToken > handedOver);
        Assert.Equal([LockNotification.Granted(LockName, Cy)], _told);
    }

    [Fact]
    [Promise("G8")]
    public void A_waiter_that_gives_up_leaves_nothing_behind()
    {
        Granted(Ada);
        Ask(Bob);
        Assert.Equal(ReleaseReply.NotHeld, Release(Bob));
        Release(Ada);
        Assert.True(LockProtocol.IsEmpty(_state));
        Assert.Empty(_told);
    }

    [Fact]
    [Promise("G8")]
    public void Giving_up_an_older_wait_leaves_the_newer_one_its_place_and_its_grant()
    {
        Granted(Ada);
        Ask(Bob);
        Ask(Bob, entry: 2);
        Assert.Equal(ReleaseReply.NotHeld, Release(Bob));
        Assert.Equal([Bob], _state.Waiters.Select(waiter => waiter.Owner));

        Release(Ada);
        Assert.Equal(ReleaseReply.StillHeldByOwner, Release(Bob));
        Assert.Equal(Bob, Holder()!.Owner);
        Assert.True(Ask(Bob, entry: 2).IsGranted);
    }

    [Fact]
    public void A_renewal_claims_what_was_handed_over()
    {
        Granted(Ada);
        Ask(Bob);
        Release(Ada);
        Assert.Equal(RenewalReply.Renewed, Renew(Bob));
        Assert.Equal(Lease, Holder()!.TimeToLive);
    }

    [Fact]
    public void A_claim_lasts_for_its_lease_however_long_the_claim_window_was()
    {
        Granted(Ada);
        Ask(Bob);
        Apply(LockProtocol.Release(_state, new() { LockName = LockName, Owner = Ada, Entry = 1, ClaimWindow = 2 * Lease }, _now));
        Assert.Equal(2 * Lease, Holder()!.TimeToLive);
        Ask(Bob);
        Assert.Equal(Lease, Holder()!.TimeToLive);
    }

    [Fact]
    public void With_barging_a_released_lock_is_for_whoever_comes_first()
    {
        Granted(Ada);
        Queue(Bob, Cy);
        Release(Ada, allowBarging: true);
        Assert.Null(Holder());
        Assert.Equal([LockNotification.AskAgain(LockName, Bob, TimeSpan.Zero), LockNotification.AskAgain(LockName, Cy, ClaimWindow)], _told);
        Assert.True(Try(Dan, allowBarging: true).IsGranted);
    }

    [Fact]
    public void A_lock_that_is_locked_at_least_for_some_time_is_nobodys_for_the_rest()
    {
        var token = Granted(Ada);
        Ask(Bob);
        Pass(TimeSpan.FromSeconds(1));
        Assert.Equal(ReleaseReply.Released, Release(Ada, lockAtLeastFor: TimeSpan.FromSeconds(5)));
        Assert.Equal((true, TimeSpan.FromSeconds(4)), (Holder()!.IsReleased, Holder()!.TimeToLive));
        Assert.Equal([LockNotification.AskAgain(LockName, Bob, TimeSpan.FromSeconds(4))], _told);

        Assert.False(Try(Ada).IsGranted);
        Assert.Equal(RenewalReply.NotHeld, Renew(Ada, token));
        Assert.Equal(ReleaseReply.NotHeld, Release(Ada));
        Pass(TimeSpan.FromSeconds(4));
        Assert.True(Ask(Bob).IsGranted);
    }

    [Fact]
    public void A_revoked_lock_passes_on_and_its_holder_is_told_so_for_the_rest_of_its_lease()
    {
        var token = Granted(Ada);
        Ask(Bob);
        Assert.False(Revoke(token - 1));
        Assert.True(Revoke(token));
        Assert.Equal([LockNotification.Revoked(LockName, Ada, token), LockNotification.Granted(LockName, Bob)], _told);
        Assert.Equal(Bob, Holder()!.Owner);

        Assert.True(Revoke(token));
        Assert.Empty(_told);
        Assert.Equal(RenewalReply.Revoked, Renew(Ada, token));
        Assert.Equal(ReleaseReply.NotHeld, Release(Ada));
        Pass(Lease);
        Assert.Equal(RenewalReply.NotHeld, Renew(Ada, token));
        Assert.False(Revoke(token));
    }

    [Fact]
    public void A_revocation_ends_what_a_released_lock_was_to_be_locked_for_and_tells_nobody()
    {
        var token = Granted(Ada);
        Release(Ada, lockAtLeastFor: Lease);
        Assert.True(Revoke(token));
        Assert.Empty(_told);
        Assert.True(LockProtocol.IsEmpty(_state));
    }

    [Fact]
    public void An_inspection_shows_the_holder_and_the_front_of_the_queue()
    {
        Granted(Ada);
        Queue(Bob, Cy);
        Pass(TimeSpan.FromSeconds(1));
        var seen = LockProtocol.Inspect(_state, LockName, maxWaiters: 1, _now);
        Assert.Equal((LockName, Ada, 2L), (seen.LockName, seen.Holder!.Owner, seen.WaiterCount));
        Assert.Equal(new LockWaiter { Owner = Bob, WaitingFor = TimeSpan.FromSeconds(1), IsAlive = true }, Assert.Single(seen.Waiters));

        // With a clock that was set back it has waited for no time.
        Pass(TimeSpan.FromHours(-1));
        Assert.Equal(TimeSpan.Zero, LockProtocol.Inspect(_state, LockName, 1, _now).Waiters[0].WaitingFor);
    }
}
