using Coordination.Resilience;
using Coordination.Stores;
using Coordination.Waiting;

namespace Coordination.Tests.Waiting;

/// <content>Waiters of locks that several may hold: the holder that is named says little, and the last token much.</content>
public sealed partial class WaiterSleepTests
{
    [Theory]
    [Promise("G7")]
    [Failure("F2")]
    [InlineData(LockShareKind.Permit)]
    [InlineData(LockShareKind.Read)]
    [InlineData(LockShareKind.UpgradeableRead)]
    public void One_that_missed_its_turn_learns_of_it_by_the_last_token(LockShareKind kind)
    {
        var waiter = Waits(kind);
        waiter.Refused(Shared(holder: 1, lastToken: 2));

        // Whoever holds it now is named, and nobody came in between.
        Assert.True(waiter.Refused(Shared(holder: 2, lastToken: 2)) >= Left);
        Assert.Equal(ClaimWindow / 2, waiter.Refused(Shared(holder: 1, lastToken: 3)));
        Assert.Equal(ClaimWindow / 4, waiter.Refused(Shared(holder: 1, lastToken: 4)));
    }

    [Fact]
    [Promise("G7")]
    public void A_writer_that_missed_its_turn_learns_of_it_by_a_holder_that_came_later()
    {
        var waiter = Waits(LockShareKind.Write);
        waiter.Refused(Shared(holder: 1, lastToken: 2));
        Assert.True(waiter.Refused(Shared(holder: 2, lastToken: 2)) >= Left);
        Assert.Equal(ClaimWindow / 2, waiter.Refused(Shared(holder: 4, lastToken: 4)));
    }

    /// <summary>An upgrade goes before all who wait: it takes nobody's turn, however often it comes.</summary>
    [Theory]
    [InlineData(LockShareKind.Write)]
    [InlineData(LockShareKind.Read)]
    public void An_upgrade_is_no_turn_that_was_missed(LockShareKind kind)
    {
        var waiter = Waits(kind);
        waiter.Refused(Shared(holder: 1, lastToken: 2));
        for (var token = 3; token < 10; token++)
        {
            Assert.True(waiter.Refused(Shared(holder: token, lastToken: token, LockShareKind.Upgrade)) >= Left);
            Assert.True(kind == LockShareKind.Read || waiter.Refused(Shared(holder: 1, lastToken: token)) >= Left);
        }
    }

    [Fact]
    [Promise("G7")]
    public void A_writer_that_missed_its_turn_behind_an_upgrade_learns_of_it_when_that_is_over()
    {
        var waiter = Waits(LockShareKind.Write);
        waiter.Refused(Shared(holder: 1, lastToken: 1));
        Assert.True(waiter.Refused(Shared(holder: 4, lastToken: 4, LockShareKind.Upgrade)) >= Left);
        Assert.Equal(ClaimWindow / 2, waiter.Refused(Shared(holder: 3, lastToken: 4)));
    }

    /// <summary>It keeps out others who would fit beside readers, and has to show that it is alive.</summary>
    [Theory]
    [Promise("G4")]
    [InlineData(LockShareKind.Read, LockShareKind.Write)]
    [InlineData(LockShareKind.UpgradeableRead, LockShareKind.Write)]
    [InlineData(LockShareKind.Read, LockShareKind.Read)]
    public void One_that_waits_while_others_read_asks_again_within_a_claim_window(LockShareKind held, LockShareKind wanted)
    {
        var sleep = Waits(wanted).Refused(Shared(holder: 1, lastToken: 1, held));
        Assert.InRange(sleep, ClaimWindow / 2, ClaimWindow + TimeSpan.FromMilliseconds(10));
    }

    private Waiter Waits(LockShareKind kind) => new(
        Requests.Acquire("work", new LockOwner("node", 1), TimeSpan.FromSeconds(15), wait: true, claimWindow: ClaimWindow) with
        {
            Share = kind switch
            {
                LockShareKind.Permit => LockShare.PermitOf(2),
                LockShareKind.Read => LockShare.Read,
                LockShareKind.UpgradeableRead => LockShare.UpgradeableRead,
                _ => LockShare.Write,
            },
        },
        _clock);

    private static TimedReply<AcquireReply> Shared(long holder, long lastToken, LockShareKind kind = LockShareKind.Write)
    {
        var held = Held(holder);
        var share = new LockShare { Kind = kind, Capacity = LockCapacity.ReaderWriter };
        return held with { Reply = held.Reply with { Holder = held.Reply.Holder! with { Share = share }, LastToken = lastToken } };
    }
}
