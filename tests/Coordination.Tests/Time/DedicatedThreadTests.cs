using System.Collections.Concurrent;
using Coordination.TestKit.Clocks;
using Coordination.TestKit.Waiting;
using Coordination.Time;

namespace Coordination.Tests.Time;

public sealed class DedicatedThreadTests : IDisposable
{
    private static readonly TimeSpan Bound = TimeSpan.FromMinutes(1);

    private readonly TestClock _clock = new();
    private readonly ConcurrentQueue<TimeSpan> _ticks = new();
    private readonly ConcurrentQueue<Exception> _faults = new();
    private readonly DedicatedThread _thread;
    private volatile Func<TimeSpan> _next = () => TimeSpan.MaxValue;

    public DedicatedThreadTests() => _thread = new DedicatedThread("test", _clock, Tick, _faults.Enqueue);

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public void Dispose() => _thread.Dispose();

    [Fact]
    public void It_ticks_when_it_is_woken_and_when_it_asked_to_be()
    {
        Start(next: TimeSpan.FromSeconds(5));
        var begun = _clock.Uptime;
        Advance(TimeSpan.FromSeconds(4));
        Assert.Empty(_ticks);
        Advance(TimeSpan.FromSeconds(1));
        Advance(TimeSpan.FromSeconds(5));
        _thread.WakeAt(_clock.Uptime);
        Settle(ticks: 3);
        Assert.Equal([5, 10, 10], _ticks.Select(tick => (tick - begun).TotalSeconds));
    }

    [Fact]
    public void A_moment_that_is_later_than_the_next_tick_wakes_nobody()
    {
        Start(next: TimeSpan.FromSeconds(1));
        _thread.WakeAt(_clock.Uptime + TimeSpan.FromSeconds(2));
        Settle(ticks: 0);
        _thread.WakeAt(_clock.Uptime + TimeSpan.FromMilliseconds(500));
        Settle(ticks: 1);
    }

    [Fact]
    public void With_nothing_to_do_it_sleeps_without_a_timer()
    {
        Start(next: TimeSpan.FromSeconds(1));
        Assert.Equal(1, _clock.Asleep);
        _next = () => TimeSpan.MaxValue;
        Advance(TimeSpan.FromSeconds(1));
        Assert.Equal(0, _clock.Asleep);
    }

    [Fact]
    [Failure("F15")]
    public void A_tick_that_throws_is_told_and_the_next_one_comes_all_the_same()
    {
        Start(next: TimeSpan.FromSeconds(1));
        _next = () => throw new InvalidOperationException("A fault.");
        Advance(TimeSpan.FromSeconds(1));
        Assert.Equal("A fault.", Assert.Single(_faults).Message);
        _next = () => TimeSpan.MaxValue;
        Advance(TimeSpan.FromSeconds(1));
        Settle(ticks: 2);
    }

    [Fact]
    [Failure("F17")]
    public async Task What_is_awaited_on_it_goes_on_there()
    {
        var reply = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var wentOn = new TaskCompletionSource<string?>(TaskCreationOptions.RunContinuationsAsynchronously);
        Start(next: TimeSpan.FromSeconds(1));
        _next = () =>
        {
            _ = AwaitAsync();
            return TimeSpan.MaxValue;
        };
        Advance(TimeSpan.FromSeconds(1));
        _next = () => TimeSpan.MaxValue;
        reply.SetResult();
        Assert.Equal("test", await wentOn.Task.WaitAsync(Bound, Cancellation));

        async Task AwaitAsync()
        {
            await reply.Task.ConfigureAwait(true);
            wentOn.SetResult(Thread.CurrentThread.Name);
        }
    }

    [Fact]
    [Failure("F15")]
    public void What_is_posted_and_throws_ends_nothing()
    {
        Start(next: TimeSpan.FromSeconds(1));
        _thread.Post(_ => throw new InvalidOperationException("A fault."), null);
        Assert.True(SpinWait.SpinUntil(() => _faults.Count == 1 && _thread.IsIdle, Bound), "It was not told of the fault.");
        _ticks.Clear();
        Advance(TimeSpan.FromSeconds(1));
        Settle(ticks: 1);
    }

    [Fact]
    public async Task What_is_posted_after_its_end_runs_on_the_pool()
    {
        Start(next: TimeSpan.FromSeconds(1));
        _thread.Dispose();

        // It may take a moment to end.
        await Eventually.IsTrueAsync(
            async () =>
            {
                var ranOnThePool = new TaskCompletionSource<bool>(TaskCreationOptions.RunContinuationsAsynchronously);
                _thread.Post(_ => ranOnThePool.SetResult(Thread.CurrentThread.IsThreadPoolThread), null);
                return await ranOnThePool.Task.WaitAsync(Bound, Cancellation);
            },
            Bound);
    }

    /// <summary>Starts the thread, which from then on asks to be woken after some time each time.</summary>
    private void Start(TimeSpan next)
    {
        _next = () => _clock.Uptime + next;
        _thread.WakeAt(_clock.Uptime);
        Assert.True(SpinWait.SpinUntil(() => !_ticks.IsEmpty && _thread.IsIdle, Bound), "It did not start.");
        _ticks.Clear();
    }

    private TimeSpan Tick()
    {
        _ticks.Enqueue(_clock.Uptime);
        return _next();
    }

    private void Advance(TimeSpan time)
    {
        _clock.Advance(time);
        Assert.True(SpinWait.SpinUntil(() => _thread.IsIdle, Bound), "The thread does not come to rest.");
    }

    private void Settle(int ticks)
    {
        Assert.True(SpinWait.SpinUntil(() => _ticks.Count >= ticks && _thread.IsIdle, Bound), $"It did not tick {ticks} times.");
        Assert.Equal(ticks, _ticks.Count);
    }
}
