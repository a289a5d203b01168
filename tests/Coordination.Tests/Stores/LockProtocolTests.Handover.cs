using Coordination.Stores;

namespace Coordination.Tests.Stores;

/// <content>Handovers in one round trip: by a notification that says all, by the reply to a release, and the claim beside the work.</content>
public sealed partial class LockProtocolTests
{
    private static readonly LockOwner AlsoAda = new(Ada.NodeId, 2);

    [Fact]
    public void A_notification_says_how_the_lock_was_handed_over()
    {
        Granted(Ada);
        Ask(Bob, entry: 7);
        Pass(TimeSpan.FromSeconds(1));
        var change = LockProtocol.Release(_state, Requests.Release(LockName, Ada, ClaimWindow), _now);
        var told = Assert.Single(change.Notifications).Handover!;
        Assert.Equal(
            new LockHandover { Entry = 7, FencingToken = LockProtocol.Describe(change.State, _now)!.FencingToken, At = _now, ClaimWindow = ClaimWindow }, told);
    }

    [Fact]
    [Promise("G3", "G9")]
    public void A_release_hands_the_lock_to_a_waiter_of_its_node_by_its_reply()
    {
        var before = Granted(Ada);
        Ask(AlsoAda, entry: 7);
        Queue(Bob);
        Pass(TimeSpan.FromSeconds(1));
        var reply = ReleaseToOwn(Ada);

        Assert.Equal((ReleaseOutcome.Released, AlsoAda), (reply.Outcome, reply.NextOwner));
        Assert.Equal(new LockHandover { Entry = 7, FencingToken = Holder()!.FencingToken, At = _now, ClaimWindow = ClaimWindow }, reply.Handover);
        Assert.True(reply.Handover!.FencingToken > before);
        Assert.Equal((AlsoAda, ClaimWindow), (Holder()!.Owner, Holder()!.TimeToLive));

        // It needs no claim: it is out of the queue, and its node hears of it by the reply alone. The next node is told when to ask, as ever.
        Assert.Equal([Bob], _state.Waiters.Select(waiter => waiter.Owner));
        Assert.Equal([LockNotification.AskAgain(LockName, Bob, ClaimWindow)], _told);
        Assert.Equal(RenewalReply.Renewed, Renew(AlsoAda, reply.Handover.FencingToken));
        Assert.Equal(Lease, Holder()!.TimeToLive);
        Assert.Equal(ReleaseReply.Released, Release(AlsoAda, entry: 7));
        Assert.Equal(Bob, Holder()!.Owner);
    }

    [Fact]
    [Promise("G4")]
    public void What_a_reply_handed_over_lapses_with_the_claim_window()
    {
        Granted(Ada);
        Queue(AlsoAda, Bob);
        var token = ReleaseToOwn(Ada).Handover!.FencingToken;
        Pass(ClaimWindow);
        Assert.Equal(RenewalReply.NotHeld, Renew(AlsoAda, token));
        Assert.True(Ask(Bob).IsGranted);
    }

    [Theory]
    [Promise("G7", "G9")]
    [InlineData(false)]
    [InlineData(true)]
    public void A_waiter_of_another_node_that_stands_first_is_told_by_a_notification(bool ownWaits)
    {
        Granted(Ada);
        Queue(Bob);
        Queue(ownWaits ? [AlsoAda] : []);
        Assert.Equal(ReleaseReply.Released, ReleaseToOwn(Ada));
        Assert.Equal(Bob, Holder()!.Owner);
        Assert.Equal(LockNotification.Granted(LockName, Bob), _told[0]);
        Assert.Equal(0, LockProtocol.Inspect(_state, LockName, 10, _now).Waiters.ToList().FindIndex(waiter => waiter.Owner == Bob));
    }

    [Fact]
    [Failure("F9")]
    public void A_dead_waiter_is_skipped_by_a_reply_as_by_a_notification()
    {
        Granted(Ada);
        Queue(Bob);
        Pass(Lease - TimeSpan.FromSeconds(1));
        Renew(Ada);
        Queue(AlsoAda);
        Pass(ClaimWindow + TimeSpan.FromSeconds(2));
        Assert.Equal(AlsoAda, ReleaseToOwn(Ada).NextOwner);
        Assert.Equal([Bob], _state.Waiters.Select(waiter => waiter.Owner));
    }

    [Theory]
    [InlineData(true, 0)]
    [InlineData(false, 5)]
    public void A_lock_that_is_left_free_or_locked_for_some_time_is_handed_to_nobody(bool allowBarging, int lockAtLeastForSeconds)
    {
        Granted(Ada);
        Queue(AlsoAda);
        var release = Requests.Release(LockName, Ada, ClaimWindow, allowBarging: allowBarging, lockAtLeastFor: TimeSpan.FromSeconds(lockAtLeastForSeconds));
        Assert.Equal(ReleaseReply.Released, Apply(LockProtocol.Release(_state, release with { TakesHandover = true }, _now)));
        Assert.NotEqual(AlsoAda, Holder()?.Owner);
        Assert.Equal(AlsoAda, Assert.Single(_told).Owner);
    }

    [Fact]
    [Promise("G8")]
    public void What_nobody_has_any_more_is_handed_to_nobody()
    {
        Granted(Ada);
        Granted(Ada, entry: 2);
        Queue(AlsoAda);
        Assert.Equal(ReleaseReply.StillHeldByOwner, ReleaseToOwn(Ada));
        Pass(Lease);
        Assert.Equal(ReleaseReply.NotHeld, ReleaseToOwn(Ada, entry: 2));
        Assert.Empty(_told);
    }

    [Fact]
    public void A_claim_takes_the_waiter_out_of_the_queue_and_has_the_whole_lease()
    {
        Granted(Ada);
        Ask(Bob, entry: 7);
        Ask(Bob, entry: 8);
        Release(Ada);
        var token = Holder()!.FencingToken;
        Assert.Equal(RenewalReply.Renewed, Claim(Bob, 7, token));
        Assert.Equal((Bob, token, Lease), (Holder()!.Owner, Holder()!.FencingToken, Holder()!.TimeToLive));
        Assert.Equal([8L], _state.Waiters.Select(waiter => waiter.Entry));
        Assert.Equal(RenewalReply.Renewed, Claim(Bob, 7, token));
    }

    [Theory]
    [Promise("G5")]
    [Failure("F10")]
    [InlineData(false)]
    [InlineData(true)]
    public void A_claim_never_revives_a_lock_that_was_released_or_lapsed(bool isReleased)
    {
        Granted(Ada);
        Queue(Bob);
        Release(Ada);
        var token = Holder()!.FencingToken;
        if (isReleased)
        {
            Release(Bob);
        }
        else
        {
            Pass(ClaimWindow);
        }

        var before = _state;
        Assert.Equal(RenewalReply.NotHeld, Claim(Bob, 1, token));
        Assert.Null(Holder());
        Assert.Equal(before.Waiters, _state.Waiters);

        // Nor one that another has, or that was handed over anew.
        Granted(Cy);
        Assert.Equal(RenewalReply.NotHeld, Claim(Bob, 1, token));
        Assert.Equal(RenewalReply.NotHeld, Claim(Cy, 1, token));
        Assert.Equal(Cy, Holder()!.Owner);
    }

    [Fact]
    public void A_claim_of_what_was_revoked_is_told_so()
    {
        Granted(Ada);
        Queue(Bob);
        Release(Ada);
        var token = Holder()!.FencingToken;
        Assert.True(Revoke(token));
        Assert.Equal(RenewalReply.Revoked, Claim(Bob, 1, token));
        Assert.Null(Holder());
    }
}
