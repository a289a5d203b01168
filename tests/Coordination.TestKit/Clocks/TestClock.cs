using Microsoft.Extensions.Time.Testing;

namespace Coordination.TestKit.Clocks;

/// <summary>A clock that the test moves, and that tells who sleeps on it, how often something went to sleep, and how often something woke.</summary>
public sealed class TestClock() : FakeTimeProvider(new DateTimeOffset(2030, 1, 1, 0, 0, 0, TimeSpan.Zero))
{
    private int _timersCreated;
    private int _timersArmed;
    private int _timersFired;
    private int _asleep;
    private int _awake;

    /// <summary>How far the wall clock is ahead of the monotonic one, as after a suspension of the machine.</summary>
    public TimeSpan WallAhead { get; set; }

    public int TimersCreated => Volatile.Read(ref _timersCreated);

    /// <summary>
    /// How often a timer was set, at its creation or later; but not by itself while it fires, for that says nothing of whom it wakes.
    /// </summary>
    public int TimersArmed => Volatile.Read(ref _timersArmed);

    public int TimersFired => Volatile.Read(ref _timersFired);

    /// <summary>How many timers are set.</summary>
    public int Asleep => Volatile.Read(ref _asleep);

    /// <summary>How many timers fired, and were neither set again nor disposed since: who waits for them by turns is at work.</summary>
    public int Awake => Volatile.Read(ref _awake);

    public override DateTimeOffset GetUtcNow() => base.GetUtcNow() + WallAhead;

    // The base takes it from the wall clock.
    public override long GetTimestamp() => base.GetTimestamp() - WallAhead.Ticks;

    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
    {
        var counted = new CountedTimer(this, callback);
        counted.Begin(base.CreateTimer(counted.Fire, state, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan), dueTime, period);
        Interlocked.Increment(ref _timersCreated);
        return counted;
    }

    private sealed class CountedTimer(TestClock clock, TimerCallback callback) : ITimer
    {
        [ThreadStatic]
        private static CountedTimer? _firing;

        private readonly Lock _gate = new();
        private ITimer _timer = null!;
        private Rest _rest;
        private bool _repeats;

        private enum Rest
        {
            None,
            Asleep,
            Awake,
        }

        public void Begin(ITimer timer, TimeSpan dueTime, TimeSpan period)
        {
            _timer = timer;
            Change(dueTime, period);
        }

        public void Fire(object? state)
        {
            Interlocked.Increment(ref clock._timersFired);
            if (!_repeats)
            {
                Become(Rest.Awake);
            }

            var before = _firing;
            _firing = this;
            try
            {
                callback(state);
            }
            finally
            {
                _firing = before;
            }
        }

        public bool Change(TimeSpan dueTime, TimeSpan period)
        {
            // Counted before: a timer whose time has come already fires within the call.
            var isSet = dueTime != Timeout.InfiniteTimeSpan;
            _repeats = period != Timeout.InfiniteTimeSpan && period != TimeSpan.Zero;
            Become(isSet ? Rest.Asleep : Rest.None);
            var changed = _timer.Change(dueTime, period);
            if (isSet && _firing != this)
            {
                Interlocked.Increment(ref clock._timersArmed);
            }

            return changed;
        }

        public void Dispose()
        {
            Become(Rest.None);
            _timer.Dispose();
        }

        public ValueTask DisposeAsync()
        {
            Become(Rest.None);
            return _timer.DisposeAsync();
        }

        private void Become(Rest rest)
        {
            lock (_gate)
            {
                Interlocked.Add(ref clock._asleep, (rest == Rest.Asleep ? 1 : 0) - (_rest == Rest.Asleep ? 1 : 0));
                Interlocked.Add(ref clock._awake, (rest == Rest.Awake ? 1 : 0) - (_rest == Rest.Awake ? 1 : 0));
                _rest = rest;
            }
        }
    }
}
