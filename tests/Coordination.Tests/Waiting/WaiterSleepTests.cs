using Coordination.Resilience;
using Coordination.Stores;
using Coordination.Waiting;
using Microsoft.Extensions.Time.Testing;

namespace Coordination.Tests.Waiting;

/// <summary>How long a waiter sleeps that hears nothing.</summary>
public sealed partial class WaiterSleepTests
{
    private static readonly TimeSpan ClaimWindow = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan Left = TimeSpan.FromSeconds(10);

    private readonly FakeTimeProvider _clock = new();
    private readonly Waiter _waiter;

    public WaiterSleepTests() =>
        _waiter = new(Requests.Acquire("work", new LockOwner("node", 1), TimeSpan.FromSeconds(15), wait: true, claimWindow: ClaimWindow), _clock);

    [Fact]
    [Failure("F2", "F8")]
    public void It_sleeps_until_the_holders_time_is_up_and_the_further_behind_the_longer()
    {
        var left = TimeSpan.FromMilliseconds(1700);
        Assert.Equal(left + TimeSpan.FromMilliseconds(5), _waiter.Refused(Held(1, left: left)));
        Assert.Equal(left + TimeSpan.FromMilliseconds(45), _waiter.Refused(Held(1, waitersBefore: 2, left: left)));
        Assert.Equal(left + TimeSpan.FromMilliseconds(205), _waiter.Refused(Held(1, waitersBefore: 1_000, left: left)));
    }

    /// <summary>Who was passed the lock, and has not claimed it, may release it in the next moment.</summary>
    [Fact]
    [Promise("G7")]
    [Failure("F2")]
    public void The_first_behind_one_that_was_passed_the_lock_wakes_before_its_own_turn_ends()
    {
        Assert.InRange(_waiter.Refused(Held(1, left: ClaimWindow)), TimeSpan.FromSeconds(1.5), ClaimWindow - TimeSpan.FromMilliseconds(100));
        Assert.True(_waiter.Refused(Held(1, left: ClaimWindow + TimeSpan.FromMilliseconds(1))) >= ClaimWindow);
    }

    [Fact]
    [Promise("G4")]
    public void One_that_sleeps_for_long_wakes_with_others_a_little_before_the_time_is_up()
    {
        Assert.Equal(Left, _waiter.Refused(Held(1)));
        _clock.Advance(TimeSpan.FromMilliseconds(300));
        Assert.Equal(Left - TimeSpan.FromMilliseconds(300), _waiter.Refused(Held(1)));
    }

    [Fact]
    public void One_that_was_refused_says_so_when_it_asks_again_and_only_where_it_queues()
    {
        Assert.False(_waiter.Request.IsQueued);
        _waiter.Refused(Held(1));
        Assert.True(_waiter.Request.IsQueued);

        var tries = new Waiter(_waiter.Request with { Wait = false, IsQueued = false }, _clock);
        tries.Refused(Held(1));
        Assert.False(tries.Request.IsQueued);
    }

    [Fact]
    [Promise("G7")]
    [Failure("F2")]
    public void One_that_missed_its_turn_sleeps_for_half_a_claim_window_from_then_on()
    {
        _waiter.Refused(Held(1));
        Assert.Equal(ClaimWindow / 2, _waiter.Refused(Held(2)));
        Assert.Equal(ClaimWindow / 2, _waiter.Refused(Held(2)));
    }

    [Fact]
    [Promise("G7")]
    [Failure("F54")]
    public void Each_turn_that_it_misses_again_halves_its_sleep()
    {
        _waiter.Refused(Held(1));
        _waiter.Refused(Held(2));
        Assert.Equal(ClaimWindow / 4, _waiter.Refused(Held(3)));
        Assert.Equal(ClaimWindow / 8, _waiter.Refused(Held(4)));
        for (var token = 5; token < 200; token++)
        {
            _waiter.Refused(Held(token));
        }

        Assert.Equal(TimeSpan.FromMilliseconds(25), _waiter.Refused(Held(200)));
    }

    [Fact]
    public void One_that_had_others_before_it_missed_no_turn()
    {
        _waiter.Refused(Held(1, waitersBefore: 1));
        Assert.True(_waiter.Refused(Held(2)) >= Left);
    }

    /// <summary>Its turn was another's, whom the holder had named: it has missed nothing, and asks no more often.</summary>
    [Fact]
    [Promise("G14")]
    public void One_that_was_told_that_the_lock_passed_to_another_missed_no_turn()
    {
        _waiter.Refused(Held(1));
        for (var token = 2; token < 10; token++)
        {
            _waiter.AskAgainIn(ClaimWindow, isPassedBy: true);
            Assert.True(_waiter.Refused(Held(token)) >= Left);
        }

        // One turn at a time is excused; and a wake for another reason excuses none.
        Assert.Equal(ClaimWindow / 2, _waiter.Refused(Held(10)));
        _waiter.AskAgainIn(TimeSpan.Zero, isPassedBy: false);
        Assert.Equal(ClaimWindow / 4, _waiter.Refused(Held(11)));
    }

    private static TimedReply<AcquireReply> Held(long token, int waitersBefore = 0, TimeSpan? left = null) => new(
        AcquireReply.Refused(
            new LockHolder { Owner = new LockOwner("another", 1), FencingToken = token, Since = DateTimeOffset.UnixEpoch, TimeToLive = left ?? Left }, waitersBefore),
        default,
        1);
}
