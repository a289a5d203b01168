using Coordination.Resilience;
using Coordination.Stores;
using Coordination.Time;
using Coordination.Waiting;
using Microsoft.Extensions.Time.Testing;

namespace Coordination.Tests.Waiting;

/// <summary>When a waiter holds what it hears was handed over to it, before it has claimed it.</summary>
public sealed class WaiterHandoverTests
{
    private const long Clock = 7;
    private static readonly DateTimeOffset RefusedAt = new(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);
    private static readonly TimeSpan Later = TimeSpan.FromSeconds(3);

    private readonly FakeTimeProvider _clock = new();
    private readonly Waiter _waiter;

    public WaiterHandoverTests()
    {
        _waiter = new(Requests.Acquire("work", new LockOwner("node", 1), TimeSpan.FromSeconds(15), wait: true, claimWindow: TimeSpan.FromSeconds(2)), _clock);
        var holder = new LockHolder { Owner = new LockOwner("another", 1), FencingToken = 1, Since = RefusedAt, TimeToLive = TimeSpan.FromSeconds(10) };
        var reply = AcquireReply.Refused(holder, 0) with { StoreTime = RefusedAt, StoreClock = Clock };
        _waiter.Refused(new TimedReply<AcquireReply>(reply, _clock.Reading, 1));
        _clock.Advance(2 * Later);
    }

    [Fact]
    [Promise("G2")]
    public void It_holds_it_from_a_moment_that_its_last_ask_proves()
    {
        _waiter.TakeOver(HandedOver(Clock, RefusedAt + Later), provenAt: null);

        Assert.True(_waiter.TryTakeOver(out _, out var provenAt, out var isClaimed));
        Assert.False(isClaimed);
        Assert.InRange(_clock.Uptime - provenAt.Uptime, Later, Later + TimeSpan.FromMilliseconds(10));
    }

    [Theory]
    [Promise("G2")]
    [InlineData(Clock - 1)]
    [InlineData(Clock + 1)]
    public void It_holds_nothing_that_was_handed_over_by_another_clock_than_its_last_ask(long clock)
    {
        _waiter.TakeOver(HandedOver(clock, RefusedAt + Later), provenAt: null);

        Assert.False(_waiter.TryTakeOver(out _, out _, out _));
    }

    [Fact]
    [Promise("G2")]
    public void It_holds_nothing_that_was_handed_over_before_its_last_ask()
    {
        _waiter.TakeOver(HandedOver(Clock, RefusedAt - TimeSpan.FromMicroseconds(1)), provenAt: null);

        Assert.False(_waiter.TryTakeOver(out _, out _, out _));
    }

    private LockHandover HandedOver(long clock, DateTimeOffset at) =>
        new() { Entry = _waiter.Request.Entry, FencingToken = 2, At = at, StoreClock = clock, ClaimWindow = _waiter.Request.ClaimWindow };
}
