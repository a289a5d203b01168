using Microsoft.Extensions.Time.Testing;

namespace Coordination.Tests.Leases;

/// <summary>A clock that the test moves, and that tells how often something went to sleep on it, and how often something woke.</summary>
public sealed class TestClock() : FakeTimeProvider(new DateTimeOffset(2030, 1, 1, 0, 0, 0, TimeSpan.Zero))
{
    private int _timersCreated;
    private int _timersArmed;
    private int _timersFired;

    public int TimersCreated => Volatile.Read(ref _timersCreated);

    /// <summary>How often a timer was set, at its creation or later.</summary>
    public int TimersArmed => Volatile.Read(ref _timersArmed);

    public int TimersFired => Volatile.Read(ref _timersFired);

    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
    {
        void CountAndCall(object? given)
        {
            Interlocked.Increment(ref _timersFired);
            callback(given);
        }

        var timer = new CountedTimer(this, base.CreateTimer(CountAndCall, state, dueTime, period));
        CountArming(dueTime);
        Interlocked.Increment(ref _timersCreated);
        return timer;
    }

    private void CountArming(TimeSpan dueTime)
    {
        if (dueTime != Timeout.InfiniteTimeSpan)
        {
            Interlocked.Increment(ref _timersArmed);
        }
    }

    private sealed class CountedTimer(TestClock clock, ITimer timer) : ITimer
    {
        public bool Change(TimeSpan dueTime, TimeSpan period)
        {
            var changed = timer.Change(dueTime, period);
            clock.CountArming(dueTime);
            return changed;
        }

        public void Dispose() => timer.Dispose();

        public ValueTask DisposeAsync() => timer.DisposeAsync();
    }
}
