using System.Collections.Immutable;
using Coordination.Stores;

namespace Coordination.Tests.Stores;

/// <summary>The protocol alone: states, requests and moments, with nothing that runs.</summary>
public sealed partial class LockProtocolTests
{
    private const string LockName = "work";

    private static readonly TimeSpan Lease = TimeSpan.FromSeconds(15);
    private static readonly TimeSpan ClaimWindow = TimeSpan.FromSeconds(2);
    private static readonly DateTimeOffset Noon = new(2026, 1, 2, 12, 0, 0, TimeSpan.Zero);

    // Each of them is on a node of its own.
    private static readonly LockOwner Ada = new("ada", 1);
    private static readonly LockOwner Bob = new("bob", 1);
    private static readonly LockOwner Cy = new("cy", 1);
    private static readonly LockOwner Dan = new("dan", 1);

    private LockState _state = LockState.Empty;
    private DateTimeOffset _now = Noon;
    private ImmutableArray<LockNotification> _told = [];

    [Fact]
    [Promise("G1")]
    public void While_a_lease_lasts_nobody_else_is_granted_the_lock()
    {
        Assert.True(Try(Ada).IsGranted);
        var refused = Try(Bob);
        Assert.Equal((Ada, Lease), (refused.Holder!.Owner, refused.Holder.TimeToLive));
        Pass(Lease - TimeSpan.FromTicks(1));
        Assert.False(Try(Bob).IsGranted);
        Pass(TimeSpan.FromTicks(1));
        Assert.True(Try(Bob).IsGranted);
    }

    [Fact]
    [Promise("G3")]
    public void A_token_is_the_time_in_microseconds_or_one_more_than_the_last()
    {
        var first = Granted(Ada);
        Assert.Equal((_now - DateTimeOffset.UnixEpoch).TotalMicroseconds, first);
        Release(Ada);
        Assert.Equal(first + 1, Granted(Ada));
    }

    [Fact]
    [Promise("G3")]
    public void Tokens_grow_when_the_clock_is_set_back()
    {
        var first = Granted(Ada);
        Release(Ada);
        Pass(TimeSpan.FromHours(-1));
        Assert.Equal(first + 1, Granted(Bob));
    }

    [Fact]
    [Promise("G3")]
    public void Tokens_grow_when_everything_is_lost()
    {
        var first = Granted(Ada);
        _state = LockState.Empty;
        Pass(TimeSpan.FromMicroseconds(1));
        Assert.True(Granted(Bob) > first);
    }

    [Fact]
    [Promise("G3")]
    public void A_store_that_drops_an_empty_state_may_remember_the_token_elsewhere()
    {
        var first = Granted(Ada);
        Release(Ada);
        Assert.True(LockProtocol.IsEmpty(_state));
        _state = LockState.Empty with { LastToken = _state.LastToken };
        Assert.Equal(first + 1, Granted(Bob));
    }

    [Fact]
    [Promise("G3")]
    [Failure("F43")]
    public void A_lock_is_forgotten_when_its_last_token_is_a_day_behind_the_clock()
    {
        Granted(Ada);
        Assert.False(LockProtocol.MayForget(_state, _now));
        Release(Ada);
        Pass(TimeSpan.FromDays(1));
        Assert.False(LockProtocol.MayForget(_state, _now));
        Pass(TimeSpan.FromMicroseconds(1));
        Assert.True(LockProtocol.MayForget(_state, _now));

        // A token that is ahead of the clock is remembered until the clock has passed it by a day.
        _state = _state with { LastToken = _state.LastToken + (long)TimeSpan.FromDays(3).TotalMicroseconds };
        Pass(TimeSpan.FromDays(3) - TimeSpan.FromMicroseconds(2));
        Assert.False(LockProtocol.MayForget(_state, _now));
    }

    [Fact]
    [Promise("G4")]
    [Failure("F45")]
    public void With_a_clock_that_was_set_back_a_dead_holder_keeps_the_lock_for_a_lease()
    {
        Granted(Ada);
        Pass(TimeSpan.FromHours(-1));
        var refused = Ask(Bob);
        Assert.Equal(Lease, refused.Holder!.TimeToLive);
        Pass(Lease);
        Assert.True(Ask(Bob).IsGranted);
    }

    [Fact]
    [Promise("G4")]
    [Failure("F45")]
    public void With_a_clock_that_was_set_back_a_released_lock_is_kept_no_longer_than_asked()
    {
        var atLeast = TimeSpan.FromSeconds(5);
        Granted(Ada);
        Pass(TimeSpan.FromSeconds(1));
        Release(Ada, lockAtLeastFor: atLeast);
        Pass(TimeSpan.FromHours(-1));
        Assert.Equal(TimeSpan.FromSeconds(4), Try(Bob).Holder!.TimeToLive);
        Pass(TimeSpan.FromSeconds(4));

        Granted(Ada);
        Pass(TimeSpan.FromHours(-1));
        Release(Ada, lockAtLeastFor: atLeast);
        Assert.Equal(atLeast, Holder()!.TimeToLive);
    }

    [Fact]
    [Promise("G5")]
    public void A_release_touches_nothing_but_its_own()
    {
        Granted(Ada);
        Assert.Equal(ReleaseReply.NotHeld, Release(Bob));
        Assert.Equal(ReleaseReply.Released, Release(Ada));
        Assert.Equal(ReleaseReply.NotHeld, Release(Ada));

        Granted(Ada);
        Pass(Lease);
        Granted(Bob);
        Assert.Equal(ReleaseReply.NotHeld, Release(Ada));
        Assert.Equal(Bob, Holder()!.Owner);
    }

    [Fact]
    [Promise("G6")]
    [Failure("F4")]
    public void A_repeated_request_gets_the_same_grant_and_counts_once()
    {
        var token = Granted(Ada);
        Pass(TimeSpan.FromSeconds(5));
        Assert.Equal(token, Granted(Ada));
        Assert.Equal(Lease, Holder()!.TimeToLive);
        Assert.Equal(ReleaseReply.Released, Release(Ada));
        Assert.Null(Holder());
    }

    [Fact]
    public void Another_entry_of_the_owner_holds_the_same_grant_until_it_is_released_too()
    {
        var token = Granted(Ada);
        Assert.Equal(token, Granted(Ada, entry: 2));
        Assert.Equal(ReleaseReply.StillHeldByOwner, Release(Ada));
        Assert.Equal(ReleaseReply.StillHeldByOwner, Release(Ada, entry: 3));
        Assert.Equal(ReleaseReply.Released, Release(Ada, entry: 2));
    }

    [Fact]
    [Promise("G6")]
    public void A_repeated_wait_keeps_its_one_place()
    {
        Granted(Ada);
        Assert.Equal(0, Ask(Bob).WaitersBefore);
        Assert.Equal(1, Ask(Cy).WaitersBefore);
        Assert.Equal(0, Ask(Bob).WaitersBefore);
        Assert.Equal([Bob, Cy], _state.Waiters.Select(waiter => waiter.Owner));
    }

    [Fact]
    public void An_entry_never_shortens_the_lease_and_a_renewal_does_not_either()
    {
        Granted(Ada, lease: 2 * Lease);
        Granted(Ada, entry: 2);
        Assert.Equal(2 * Lease, Holder()!.TimeToLive);
        Assert.Equal(RenewalReply.Renewed, Renew(Ada));
        Assert.Equal(2 * Lease, Holder()!.TimeToLive);
    }

    [Fact]
    [Failure("F10")]
    public void A_renewal_extends_its_own_grant_and_nothing_else()
    {
        Assert.Equal(RenewalReply.NotHeld, Renew(Ada));
        Assert.True(LockProtocol.IsEmpty(_state));

        var token = Granted(Ada);
        Pass(TimeSpan.FromSeconds(5));
        Assert.Equal(RenewalReply.Renewed, Renew(Ada, token));
        Assert.Equal(Lease, Holder()!.TimeToLive);
        Assert.Equal(RenewalReply.NotHeld, Renew(Ada, token - 1));
        Assert.Equal(RenewalReply.NotHeld, Renew(Bob));
        Assert.Equal((Ada, token), (Holder()!.Owner, Holder()!.FencingToken));

        Pass(Lease);
        Assert.Equal(RenewalReply.NotHeld, Renew(Ada, token));
        Assert.Null(Holder());
        Granted(Bob);
        Assert.Equal(RenewalReply.NotHeld, Renew(Ada, token));
    }

    private AcquireReply Try(LockOwner owner, long entry = 1, TimeSpan? lease = null, bool allowBarging = false, Occurrence? occurrence = null) =>
        Apply(LockProtocol.Acquire(
            _state, Requests.Acquire(LockName, owner, lease ?? Lease, entry, wait: false, ClaimWindow, allowBarging, occurrence), _now));

    private AcquireReply Ask(LockOwner owner, long entry = 1, Occurrence? occurrence = null) =>
        Apply(LockProtocol.Acquire(_state, Requests.Acquire(LockName, owner, Lease, entry, wait: true, ClaimWindow, occurrence: occurrence), _now));

    private long Granted(LockOwner owner, long entry = 1, TimeSpan? lease = null) => Assert.NotNull(Try(owner, entry, lease).FencingToken);

    private void Queue(params LockOwner[] owners) => Assert.All(owners, owner => Assert.False(Ask(owner).IsGranted));

    private RenewalReply Renew(LockOwner owner, long? token = null) => Apply(LockProtocol.Renew(_state, Requests.Renew(LockName, owner, Lease, token), _now));

    private ReleaseReply Release(LockOwner owner, long entry = 1, bool allowBarging = false, TimeSpan lockAtLeastFor = default) =>
        Apply(LockProtocol.Release(_state, Requests.Release(LockName, owner, ClaimWindow, entry, allowBarging, lockAtLeastFor), _now));

    /// <summary>Of a node that hears of its next waiter by the reply.</summary>
    private ReleaseReply ReleaseToOwn(LockOwner owner, long entry = 1) =>
        Apply(LockProtocol.Release(_state, Requests.Release(LockName, owner, ClaimWindow, entry) with { TakesHandover = true }, _now));

    private RenewalReply Claim(LockOwner owner, long entry, long token) =>
        Apply(LockProtocol.Renew(_state, Requests.Renew(LockName, owner, Lease, token) with { ClaimedEntry = entry }, _now));

    private bool Revoke(long token) => Apply(LockProtocol.Revoke(_state, LockName, token, ClaimWindow, _now));

    private LockHolder? Holder() => LockProtocol.Describe(_state, _now);

    private void Pass(TimeSpan time) => _now += time;

    private TReply Apply<TReply>(LockChange<TReply> change)
    {
        _state = change.State;
        // How a lock was handed over has a test of its own.
        _told = [.. change.Notifications.Select(told => told with { Handover = null })];
        return change.Reply;
    }
}
