using System.Collections.Immutable;
using System.Text.Json;
using Coordination.Stores;

namespace Coordination.Tests.Stores;

/// <summary>Any number of steps in any order, of locks that several may hold, looked at from outside after each: by the shares of those who hold, and never by the machine's own rule.</summary>
public sealed class LockProtocolSharesAtRandomTests
{
    private const string LockName = "work";
    private const int Steps = 4_000;
    private const int Permits = 3;

    private static readonly TimeSpan Lease = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan ClaimWindow = TimeSpan.FromSeconds(2);

    private LockState _state = LockState.Empty;
    private DateTimeOffset _now = new(2026, 1, 2, 12, 0, 0, TimeSpan.Zero);
    private long _lastToken;

    [Theory]
    [Promise("G1", "G3", "G5", "G9")]
    [InlineData(1, false)]
    [InlineData(2, false)]
    [InlineData(3, true)]
    [InlineData(4, true)]
    [InlineData(5, true)]
    public void Whatever_is_asked_in_whatever_order_shares_fit_and_nobody_is_overtaken(int seed, bool readsAndWrites)
    {
        var random = new Random(seed);
        LockOwner[] owners = [.. Enumerable.Range(0, 10).Select(i => new LockOwner($"node{i % 4}", i))];
        var granted = 0;
        for (var step = 0; step < Steps; step++)
        {
            Pass(random);
            var owner = owners[random.Next(owners.Length)];
            var share = Share(random, owner, owners, readsAndWrites);
            var before = _state;
            var isPassedOn = Step(random, owner, share);
            granted += AssertGrantsInOrder(before, owner);
            AssertFit();
            if (isPassedOn)
            {
                AssertNobodyThatFitsWaits();
            }

            // A store may keep it as a document.
            var text = JsonSerializer.Serialize(_state);
            _state = JsonSerializer.Deserialize<LockState>(text)!;
            Assert.Equal(text, JsonSerializer.Serialize(_state));
        }

        Assert.True(granted > Steps / 20, $"There were {granted} grants.");
        _now += TimeSpan.FromDays(2);
        Assert.True(LockProtocol.MayForget(_state, _now));
    }

    private ImmutableArray<LockGrant> Held => [.. _state.Grants.Where(grant => grant.LastsUntil > _now)];

    /// <summary>Mostly a little; now and then the clock is set back or forward.</summary>
    private void Pass(Random random) => _now += random.Next(60) switch
    {
        0 => TimeSpan.FromSeconds(-random.Next(30)),
        1 => TimeSpan.FromSeconds(random.Next(30)),
        < 30 => TimeSpan.Zero,
        _ => TimeSpan.FromMilliseconds(random.Next(1_500)),
    };

    private static LockShare? Share(Random random, LockOwner owner, LockOwner[] owners, bool readsAndWrites)
    {
        if (random.Next(40) == 0)
        {
            return random.Next(3) switch { 0 => null, 1 => LockShare.PermitOf(Permits + 1), _ => readsAndWrites ? LockShare.PermitOf(Permits) : LockShare.Read };
        }

        // Each owner wants one thing, as a call of a node does.
        return !readsAndWrites ? LockShare.PermitOf(Permits) : owner.Sequence switch
        {
            < 4 => LockShare.Read,
            < 6 => LockShare.UpgradeableRead,
            < 8 => LockShare.Write,
            8 => LockShare.UpgradeOf(owners[4]),
            _ => LockShare.UpgradeOf(owners[5]),
        };
    }

    /// <returns>Whether the lock was passed on to all that fit.</returns>
    private bool Step(Random random, LockOwner owner, LockShare? share)
    {
        var held = _state.Grants.FirstOrDefault(grant => grant.Owner == owner && !grant.IsReleased);
        switch (random.Next(10))
        {
            case < 6:
                var request = Requests.Acquire(LockName, owner, random.Next(3) == 0 ? Lease : Lease / 5, wait: random.Next(5) > 0, claimWindow: ClaimWindow) with { Share = share };
                var asked = Apply(LockProtocol.Acquire(_state, request, _now));
                var inUse = Held.Length > 0 || _state.Waiters.Any(waiter => waiter.AliveUntil > _now);
                Assert.Equal(asked.InUseAs, inUse && _state.Capacity != (share?.Capacity ?? LockCapacity.Exclusive) ? _state.Capacity : null);
                Assert.Equal(asked.IsGranted, Held.Any(grant => grant.Owner == owner && !grant.IsReleased && grant.FencingToken == asked.FencingToken && grant.Permit == asked.Permit && grant.Share == share));
                return false;
            case 6:
                var others = Held.Where(grant => grant.Owner != owner).ToArray();
                Apply(LockProtocol.Renew(_state, Requests.Renew(LockName, owner, Lease, held?.FencingToken) with { Share = share }, _now));
                Assert.All(others, other => Assert.Contains(Held, grant => grant.FencingToken == other.FencingToken && grant.LastsUntil <= other.LastsUntil));
                return false;
            case 7:
                return held is not null && Apply(LockProtocol.Revoke(_state, LockName, held.FencingToken, ClaimWindow, _now));
            default:
                var release = Requests.Release(LockName, owner, ClaimWindow, lockAtLeastFor: random.Next(6) == 0 ? TimeSpan.FromSeconds(3) : default) with
                {
                    Share = share,
                    TakesHandover = random.Next(2) == 0,
                };
                var tokens = Held.Where(grant => grant.Owner != owner).Select(grant => grant.FencingToken).ToArray();
                var reply = Apply(LockProtocol.Release(_state, release, _now));
                Assert.True(tokens.All(token => Held.Any(grant => grant.FencingToken == token)), "A release ended the grant of another.");

                // Also one that left the queue lets in those behind it.
                return share is not null && share.Capacity == _state.Capacity && reply.Outcome is ReleaseOutcome.Released or ReleaseOutcome.NotHeld;
        }
    }

    /// <summary>By the shares alone.</summary>
    private void AssertFit()
    {
        var shares = Held.Select(grant => grant.Share).ToArray();
        Assert.True(shares.Length == 0 || shares.All(share => (share?.Capacity ?? LockCapacity.Exclusive) == _state.Capacity), "Two ways of use at a time.");
        Assert.Equal(Held.Length, Held.Select(grant => grant.FencingToken).Distinct().Count());
        switch (_state.Capacity.Kind)
        {
            case LockCapacityKind.Exclusive:
                Assert.True(shares.Length <= 1, "Two hold an exclusive lock.");
                break;
            case LockCapacityKind.Semaphore:
                Assert.True(shares.Length <= _state.Capacity.Permits, "One too many.");
                Assert.Equal(shares.Length, Held.Select(grant => grant.Permit).Distinct().Count());
                Assert.All(Held, grant => Assert.InRange(grant.Permit!.Value, 0, _state.Capacity.Permits - 1));
                break;
            default:
                var writers = Held.Where(grant => grant.Share!.Kind is LockShareKind.Write or LockShareKind.Upgrade).ToArray();
                Assert.True(writers.Length <= 1, "Two write.");
                Assert.True(Held.Count(grant => grant.Share!.Kind == LockShareKind.UpgradeableRead) <= 1, "Two may upgrade.");
                Assert.All(writers, writer => Assert.All(Held.Remove(writer), beside => Assert.True(beside.Owner == writer.Share!.Reader, $"{beside} is beside {writer}.")));
                break;
        }
    }

    /// <summary>Each new grant has a greater token than all before, and no live waiter that stood before its owner is left out.</summary>
    private int AssertGrantsInOrder(LockState before, LockOwner asking)
    {
        var known = before.Grants.Select(grant => grant.FencingToken).ToHashSet();
        var added = _state.Grants.Where(grant => !known.Contains(grant.FencingToken)).ToArray();
        foreach (var grant in added)
        {
            Assert.True(grant.FencingToken > _lastToken, $"Token {grant.FencingToken} after {_lastToken}.");
            _lastToken = grant.FencingToken;
            var isUpgrade = grant.Share?.Kind == LockShareKind.Upgrade;
            var place = before.Waiters.Select(waiter => waiter.Owner).ToList().IndexOf(grant.Owner);
            var ahead = place >= 0 ? before.Waiters.Take(place) : before.Waiters.Where(waiter => !isUpgrade || waiter.Share?.Kind == LockShareKind.Upgrade);
            foreach (var waiter in ahead.Where(waiter => waiter.AliveUntil > _now && waiter.Owner != asking && waiter.Share?.Capacity == grant.Share?.Capacity))
            {
                var hasReader = waiter.Share?.Reader is not { } reader || (IsHeldBy(before, reader) && IsHeldBy(_state, reader));
                Assert.True(!hasReader || added.Any(other => other.Owner == waiter.Owner && other.FencingToken < grant.FencingToken), $"{waiter} was overtaken by {grant}.");
            }
        }

        return added.Length;

        // One whose reader leaves in this step has nothing to wait for any more.
        bool IsHeldBy(LockState state, LockOwner reader) =>
            state.Grants.Any(held => held.Owner == reader && !held.IsReleased && held.LastsUntil > _now && held.Share == LockShare.UpgradeableRead);
    }

    private void AssertNobodyThatFitsWaits()
    {
        var next = _state.Waiters.FirstOrDefault(waiter => waiter.AliveUntil > _now && waiter.Share?.Capacity == _state.Capacity);
        if (next is null)
        {
            return;
        }

        var beside = Held;
        var fits = next.Share!.Kind switch
        {
            LockShareKind.Permit => beside.Length < _state.Capacity.Permits,
            LockShareKind.Read => beside.All(grant => grant.Share!.Kind is LockShareKind.Read or LockShareKind.UpgradeableRead),
            LockShareKind.UpgradeableRead => beside.All(grant => grant.Share!.Kind == LockShareKind.Read),
            LockShareKind.Write => beside.Length == 0,
            _ => beside.All(grant => grant.Owner == next.Share.Reader && !grant.IsReleased && grant.Share == LockShare.UpgradeableRead),
        };

        // An owner has one grant at a time.
        Assert.False(fits && !beside.Any(grant => grant.Owner == next.Owner), $"{next} fits and waits.");
    }

    private TReply Apply<TReply>(LockChange<TReply> change)
    {
        _state = change.State;
        return change.Reply;
    }
}
