using System.Text.Json;
using Coordination.Stores;

namespace Coordination.Tests.Stores;

/// <content>Locks that several may hold: what the contract suite cannot ask of every store.</content>
public sealed partial class LockProtocolTests
{
    private static readonly LockShare OneOfTwo = LockShare.PermitOf(2);

    /// <summary>Of an exclusive lock: an owner that asks is alive, also by an older wait.</summary>
    [Theory]
    [Promise("G9")]
    [InlineData(false)]
    [InlineData(true)]
    public void An_owner_whose_older_wait_is_dead_has_its_turn_before_those_behind_that(bool wait)
    {
        Granted(Ada, lease: TimeSpan.FromSeconds(1));
        Assert.False(Ask(Bob, entry: 1).IsGranted);
        Renew(Ada);
        Assert.False(Ask(Cy).IsGranted);
        Pass(Lease);
        Assert.False(LockProtocol.Inspect(_state, LockName, 10, _now).Waiters[0].IsAlive);
        Assert.True((wait ? Ask(Bob, entry: 2) : Try(Bob, entry: 2)).IsGranted);
    }

    [Fact]
    [Promise("G4")]
    public void A_refusal_names_the_holder_whose_time_is_up_first_and_the_last_token()
    {
        Try(Ada, OneOfTwo);
        Pass(TimeSpan.FromSeconds(5));
        var last = Try(Bob, OneOfTwo, TimeSpan.FromSeconds(3)).FencingToken;
        var refused = Ask(Cy, OneOfTwo);
        Assert.Equal((Bob, TimeSpan.FromSeconds(3), last), (refused.Holder!.Owner, refused.Holder.TimeToLive, refused.LastToken));
        Assert.Equal(_now, refused.StoreTime);
        Assert.Null(Ask(Cy).LastToken);
    }

    [Fact]
    [Failure("F9")]
    public void A_release_that_lets_in_several_tells_three_more_nodes_to_ask_again()
    {
        Try(Ada, LockShare.Write);
        Assert.All([Bob, new LockOwner("bob", 2), Cy], reader => Assert.False(Ask(reader, LockShare.Read).IsGranted));
        LockOwner[] behind = [Dan, new("bob", 3), new("eve", 1), new("fay", 1), new("gil", 1)];
        Assert.All(behind, writer => Assert.False(Ask(writer, LockShare.Write).IsGranted));
        Assert.Equal(ReleaseReply.Released, Release(Ada, LockShare.Write));
        Assert.Equal(
            [
                LockNotification.Granted(LockName, Bob),
                LockNotification.Granted(LockName, new("bob", 2)),
                LockNotification.Granted(LockName, Cy),
                LockNotification.AskAgain(LockName, Dan, ClaimWindow),
                LockNotification.AskAgain(LockName, behind[2], 2 * ClaimWindow),
                LockNotification.AskAgain(LockName, behind[3], 3 * ClaimWindow),
            ],
            _told);
    }

    [Fact]
    [Failure("F9")]
    public void A_release_to_its_own_node_tells_those_who_fit_and_those_who_wait_on()
    {
        var own = new LockOwner(Ada.NodeId, 2);
        Try(Ada, LockShare.Write);
        Assert.All([own, Bob], reader => Assert.False(Ask(reader, LockShare.Read).IsGranted));
        Ask(Dan, LockShare.Write);
        var reply = Apply(LockProtocol.Release(_state, Requests.Release(LockName, Ada, ClaimWindow) with { TakesHandover = true, Share = LockShare.Write }, _now));
        Assert.Equal(own, reply.NextOwner);
        Assert.Equal([LockNotification.Granted(LockName, Bob), LockNotification.AskAgain(LockName, Dan, ClaimWindow)], _told);
        Assert.Equal([own, Bob], _state.Grants.Select(grant => grant.Owner));
        Assert.Equal([true, false], _state.Grants.Select(grant => grant.IsClaimed));
    }

    /// <summary>An upgrade whose reader is gone stands first, and is no reason to forget the rest.</summary>
    [Fact]
    [Failure("F9")]
    public void A_release_to_its_own_node_beside_an_upgrade_of_nothing_tells_those_who_wait_on()
    {
        var (own, upgrading) = (new LockOwner(Ada.NodeId, 2), new LockOwner(Bob.NodeId, 2));
        Try(Ada, LockShare.Read);
        Try(Bob, LockShare.UpgradeableRead, TimeSpan.FromSeconds(1));
        Ask(upgrading, LockShare.UpgradeOf(Bob));
        Assert.All([own, Dan], writer => Assert.False(Ask(writer, LockShare.Write).IsGranted));
        Pass(TimeSpan.FromSeconds(1));
        Apply(LockProtocol.Release(_state, Requests.Release(LockName, Ada, ClaimWindow) with { TakesHandover = true, Share = LockShare.Read }, _now));
        Assert.Equal(own, Assert.Single(_state.Grants).Owner);
        Assert.Contains(LockNotification.AskAgain(LockName, Dan, ClaimWindow), _told);
    }

    [Fact]
    public void A_read_that_is_kept_for_some_time_lets_in_those_behind_its_upgrade()
    {
        var upgrading = new LockOwner(Ada.NodeId, 2);
        Try(Ada, LockShare.UpgradeableRead);
        Try(Bob, LockShare.Read);
        Ask(upgrading, LockShare.UpgradeOf(Ada));
        Ask(Cy, LockShare.Read);
        Release(Ada, LockShare.UpgradeableRead, lockAtLeastFor: TimeSpan.FromSeconds(5));
        Assert.Equal([Ada, Bob, Cy], _state.Grants.Select(grant => grant.Owner));
        Assert.Contains(LockNotification.AskAgain(LockName, upgrading, TimeSpan.Zero), _told);
        Assert.True(Ask(upgrading, LockShare.UpgradeOf(Ada)).HasNothingToUpgrade);
    }

    [Fact]
    public void A_permit_that_is_kept_for_some_time_tells_waiters_when_it_is_over()
    {
        Try(Ada, LockShare.PermitOf(1));
        Ask(Bob, LockShare.PermitOf(1));
        Release(Ada, LockShare.PermitOf(1), lockAtLeastFor: TimeSpan.FromSeconds(5));
        Assert.Equal([LockNotification.AskAgain(LockName, Bob, TimeSpan.FromSeconds(5))], _told);
        Pass(TimeSpan.FromSeconds(5));
        Assert.Equal(0, Ask(Bob, LockShare.PermitOf(1)).Permit);
    }

    [Theory]
    [Promise("G4")]
    [Failure("F45")]
    [InlineData(-3600)]
    [InlineData(3600)]
    public void The_permit_of_a_dead_holder_is_free_within_a_lease_of_a_step_of_the_clock(int step)
    {
        Try(Ada, OneOfTwo);
        Try(Bob, OneOfTwo);
        Pass(TimeSpan.FromSeconds(step));
        Assert.Equal(step > 0, Try(Cy, OneOfTwo).IsGranted);
        Pass(Lease);
        Assert.Equal(0, Try(Dan, OneOfTwo).Permit);
    }

    [Fact]
    public void A_lock_that_only_the_dead_used_is_used_in_another_way_and_forgets_their_places()
    {
        Try(Ada, OneOfTwo);
        Try(Bob, OneOfTwo);
        Ask(Cy, OneOfTwo);
        Pass(Lease + ClaimWindow + TimeSpan.FromSeconds(1));
        Assert.Equal(LockCapacity.Exclusive, LockProtocol.Inspect(_state, LockName, 10, _now).Capacity);
        var before = _state.LastToken;
        Assert.True(Granted(Dan) > before);
        Assert.Empty(_state.Waiters);
        Assert.Equal(LockCapacity.Exclusive, _state.Capacity);
    }

    [Fact]
    public void What_changes_nothing_of_shares_gives_a_state_that_is_equal()
    {
        Try(Ada, OneOfTwo);
        Try(Bob, OneOfTwo);
        Ask(Cy, OneOfTwo);
        var before = _state;
        Assert.False(Try(Dan, OneOfTwo).IsGranted);
        Assert.NotNull(Try(Dan, LockShare.PermitOf(3)).InUseAs);
        Release(Dan, OneOfTwo);
        Release(Ada);
        Release(Ada, LockShare.PermitOf(3));
        Renew(Ada);
        Revoke(1);
        Assert.Equal(before, _state);
    }

    [Fact]
    public void A_state_with_shares_survives_being_written_and_read()
    {
        var upgrading = new LockOwner(Ada.NodeId, 2);
        Try(Ada, LockShare.UpgradeableRead);
        Apply(LockProtocol.Acquire(_state, Requests.Acquire(LockName, Bob, Lease, occurrence: At(0, "bob")) with { Share = LockShare.Read }, _now));
        Ask(upgrading, LockShare.UpgradeOf(Ada));
        Ask(Cy, LockShare.Write);
        var read = JsonSerializer.Deserialize<LockState>(Write(_state))!;
        Assert.Equal(Write(_state), Write(read));
        Assert.Equal(_state.Waiters, read.Waiters);
        Assert.Equal(_state.Capacity, read.Capacity);
        Assert.Equal(_state.Grants.Select(grant => (grant.Owner, grant.Share, grant.Series, grant.Run)), read.Grants.Select(grant => (grant.Owner, grant.Share, grant.Series, grant.Run)));

        // What is compared is the value, and not the object.
        _state = read;
        Assert.Equal(ReleaseReply.Released, Release(Bob, LockShare.Read));
        Assert.True(Ask(upgrading, LockShare.UpgradeOf(Ada)).IsGranted);
    }

    private AcquireReply Try(LockOwner owner, LockShare? share, TimeSpan? lease = null) =>
        Apply(LockProtocol.Acquire(_state, Requests.Acquire(LockName, owner, lease ?? Lease, claimWindow: ClaimWindow) with { Share = share }, _now));

    private AcquireReply Ask(LockOwner owner, LockShare? share) =>
        Apply(LockProtocol.Acquire(_state, Requests.Acquire(LockName, owner, Lease, wait: true, claimWindow: ClaimWindow) with { Share = share }, _now));

    private ReleaseReply Release(LockOwner owner, LockShare? share, TimeSpan lockAtLeastFor = default) =>
        Apply(LockProtocol.Release(_state, Requests.Release(LockName, owner, ClaimWindow, lockAtLeastFor: lockAtLeastFor) with { Share = share }, _now));
}
