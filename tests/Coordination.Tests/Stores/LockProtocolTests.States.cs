using System.Text.Json;
using Coordination.Stores;

namespace Coordination.Tests.Stores;

/// <content>States as documents, and any number of steps in any order.</content>
public sealed partial class LockProtocolTests
{
    [Fact]
    public void What_changes_nothing_gives_a_state_that_is_equal()
    {
        Granted(Ada);
        Ask(Bob);
        var before = _state;
        Try(Cy);
        Release(Cy);
        Renew(Cy);
        Revoke(1);
        Assert.Equal(before, _state);
        Assert.Same(before, LockProtocol.Expire(before, _now));
    }

    [Fact]
    public void A_state_that_was_given_is_never_changed()
    {
        Granted(Ada);
        Queue(Bob, Cy);
        var (before, text) = (_state, Write(_state));
        Release(Ada);
        Ask(Bob);
        Revoke(_state.LastToken);
        Assert.Equal(text, Write(before));
    }

    [Fact]
    public void Expiring_leaves_nothing_of_a_lock_that_nobody_asks_for_any_more()
    {
        TryFor(Ada, At(0, "ada"));
        Queue(Bob, Cy);
        Revoke(_state.LastToken);
        Pass(TimeSpan.FromHours(1));
        Assert.False(LockProtocol.IsEmpty(_state));
        Assert.True(LockProtocol.IsEmpty(LockProtocol.Expire(_state, _now)));
    }

    [Fact]
    public void The_longest_of_durations_ends_with_the_last_moment_there_is()
    {
        var forever = TimeSpan.MaxValue;
        var at = At(0, "ada") with { RememberFor = forever };
        Apply(LockProtocol.Acquire(
            _state, new() { LockName = LockName, Owner = Ada, Entry = 1, LeaseDuration = forever, ClaimWindow = forever, Occurrence = at }, _now));
        Apply(LockProtocol.Acquire(_state, new() { LockName = LockName, Owner = Bob, Entry = 1, LeaseDuration = forever, ClaimWindow = forever, Wait = true }, _now));
        Apply(LockProtocol.Renew(_state, new() { LockName = LockName, Owner = Ada, LeaseDuration = forever }, _now));
        Assert.Equal(DateTimeOffset.MaxValue, _state.Grants[0].LastsUntil);
        _state = LockProtocol.Expire(_state, _now);
        Release(Ada, lockAtLeastFor: forever);
        Assert.True(Holder()!.IsReleased);
    }

    [Fact]
    public void A_state_survives_being_written_and_read()
    {
        TryFor(Ada, At(0, "ada"));
        Revoke(_state.LastToken);
        Granted(Bob);
        Queue(Cy, Dan);
        Apply(LockProtocol.Acquire(_state, Requests.Acquire(LockName, Bob, Lease, entry: 2) with { Note = "second", Rank = 2 }, _now));
        Apply(LockProtocol.Acquire(_state, Requests.Acquire(LockName, new LockOwner("eve", 1), Lease, wait: true) with { Note = "waiting", Rank = -3 }, _now));
        var read = JsonSerializer.Deserialize<LockState>(Write(_state))!;
        Assert.Equal(Write(_state), Write(read));
        Assert.Equal(_state.Waiters, read.Waiters);

        // One that an older version wrote lacks what this one added.
        Assert.Equal(LockState.Empty, JsonSerializer.Deserialize<LockState>("{}"));
    }

    [Theory]
    [Promise("G1", "G3", "G9")]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(4)]
    public void Whatever_is_asked_in_whatever_order_one_holds_and_tokens_grow(int seed)
    {
        var random = new Random(seed);
        LockOwner[] owners = [Ada, new(Ada.NodeId, 2), Bob, Cy, Dan];
        var (lastToken, holder) = (0L, (LockOwner?)null);
        for (var step = 0; step < 20_000; step++)
        {
            Pass(TimeSpan.FromMilliseconds(random.Next(4) switch { 0 => 0, 1 => random.Next(10), 2 => random.Next(3_000), _ => random.Next(200) }));
            var owner = owners[random.Next(owners.Length)];
            var entry = random.Next(1, 3);
            var before = Holder();
            var mayRelease = before?.Owner == owner || before?.Owner is null;
            var isEnded = false;
            var next = (ReleaseReply?)null;
            switch (random.Next(9))
            {
                case 0:
                    Try(owner, entry, allowBarging: random.Next(4) == 0);
                    break;
                case < 4:
                    Ask(owner, entry);
                    break;
                case 4:
                    Renew(owner, before?.FencingToken);
                    break;
                case 5:
                    isEnded = Revoke(before?.FencingToken ?? 0);
                    break;
                case 6:
                    Claim(owner, entry, before?.FencingToken ?? 0);
                    break;
                case 7:
                    next = ReleaseToOwn(owner, entry);
                    isEnded = next.Outcome == ReleaseOutcome.Released;
                    Assert.True(mayRelease || !isEnded, "A release ended the grant of another.");
                    break;
                default:
                    isEnded = Release(owner, entry, random.Next(4) == 0, TimeSpan.FromSeconds(random.Next(3) == 0 ? 3 : 0)) == ReleaseReply.Released;
                    Assert.True(mayRelease || !isEnded, "A release ended the grant of another.");
                    break;
            }

            // Only a release of its own, a revocation or its end takes a grant away, and each new one has a greater token.
            var after = Holder();
            if (before is not null && !isEnded)
            {
                Assert.Equal((before.Owner, before.FencingToken), (after!.Owner, after.FencingToken));
            }

            if (next?.Handover is { } given)
            {
                Assert.Equal((owner.NodeId, next.NextOwner, given.FencingToken, ClaimWindow), (after!.Owner.NodeId, after.Owner, after.FencingToken, after.TimeToLive));
            }

            if (after is not null && (after.FencingToken != lastToken || after.Owner != holder))
            {
                Assert.True(after.FencingToken > lastToken, $"Token {after.FencingToken} after {lastToken}.");
                (lastToken, holder) = (after.FencingToken, after.Owner);
            }

            Assert.Equal(_state.Waiters.Length, _state.Waiters.Select(waiter => (waiter.Owner, waiter.Entry)).Distinct().Count());
            Assert.Equal(_state.Waiters.OrderBy(waiter => waiter.Since), _state.Waiters);
            Assert.All(_told, notification => Assert.Equal(LockName, notification.LockName));
        }

        Pass(TimeSpan.FromDays(2));
        Assert.True(LockProtocol.MayForget(_state, _now));
    }

    private static string Write(LockState state) => JsonSerializer.Serialize(state);
}
