using Coordination.TestKit.Clocks;
using Coordination.Time;

namespace Coordination.Tests.Time;

public sealed class SignalTests
{
    private static readonly TimeSpan Bound = TimeSpan.FromMinutes(1);
    private static readonly TimeSpan Minute = TimeSpan.FromMinutes(1);

    private readonly TestClock _clock = new();
    private readonly Signal _signal;

    public SignalTests() => _signal = new Signal(_clock);

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_signal_that_comes_while_nobody_waits_is_kept_for_the_next_who_does()
    {
        _signal.Set();
        await WaitAsync();

        // For one of them.
        Assert.False(_signal.WaitAsync(Minute, Cancellation).IsCompleted);
    }

    [Fact]
    public async Task A_signal_ends_the_wait_of_who_waits()
    {
        var waiting = _signal.WaitAsync(Minute, Cancellation);
        Assert.False(waiting.IsCompleted);
        _signal.Set();
        await waiting.WaitAsync(Bound, Cancellation);
    }

    [Fact]
    public async Task A_wait_ends_at_its_limit()
    {
        var waiting = _signal.WaitAsync(Minute, Cancellation);
        _clock.Advance(Minute - TimeSpan.FromMilliseconds(1));
        Assert.False(waiting.IsCompleted);
        _clock.Advance(TimeSpan.FromMilliseconds(1));
        await waiting.WaitAsync(Bound, Cancellation);
    }

    [Fact]
    public async Task A_wait_ends_without_an_exception_when_its_token_is_cancelled()
    {
        using var cancelling = new CancellationTokenSource();
        var waiting = _signal.WaitAsync(Timeout.InfiniteTimeSpan + Minute, cancelling.Token);
        await cancelling.CancelAsync();
        await waiting.WaitAsync(Bound, Cancellation);
    }

    [Fact]
    public async Task A_signal_for_later_ends_the_wait_when_its_time_has_come()
    {
        var waiting = _signal.WaitAsync(Minute, Cancellation);
        _signal.SetIn(TimeSpan.FromSeconds(10));
        Assert.True(SpinWait.SpinUntil(() => _clock.TimersArmed == 2, Bound), "It does not wait for the new moment.");
        _clock.Advance(TimeSpan.FromSeconds(9));
        Assert.False(waiting.IsCompleted);
        _clock.Advance(TimeSpan.FromSeconds(1));
        await waiting.WaitAsync(Bound, Cancellation);
    }

    [Fact]
    public async Task Of_several_signals_for_later_the_last_one_counts_and_one_for_now_before_all()
    {
        _signal.SetIn(TimeSpan.FromSeconds(1));
        _signal.SetIn(TimeSpan.FromSeconds(30));
        var waiting = _signal.WaitAsync(Minute, Cancellation);
        _clock.Advance(TimeSpan.FromSeconds(2));
        Assert.False(waiting.IsCompleted);
        _signal.Set();
        await waiting.WaitAsync(Bound, Cancellation);

        _signal.Set();
        _signal.SetIn(TimeSpan.FromSeconds(30));
        await WaitAsync();
    }

    [Fact]
    public void A_signal_that_was_reset_ends_no_wait()
    {
        _signal.Set();
        _signal.Reset();
        Assert.False(_signal.WaitAsync(Minute, Cancellation).IsCompleted);
    }

    private Task WaitAsync() => _signal.WaitAsync(Minute, Cancellation).WaitAsync(Bound, Cancellation);
}
