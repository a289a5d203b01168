namespace Coordination.Time;

/// <summary>Moments on the monotonic clock, as the time since its own origin: what deadlines are compared with.</summary>
internal static class MonotonicClock
{
    /// <summary>What the timers of the system count in.</summary>
    public static readonly TimeSpan Resolution = TimeSpan.FromMilliseconds(1);

    /// <summary>The longest time that the timers of the system take in whole milliseconds: some 24 days.</summary>
    private static readonly TimeSpan MaxTimer = TimeSpan.FromMilliseconds(int.MaxValue);

    extension(TimeProvider time)
    {
        /// <summary>The moment now. Only differences to other moments of the same provider mean anything.</summary>
        public TimeSpan Uptime
        {
            get
            {
                // In whole numbers: as a fraction of seconds a large timestamp would lose its last digits.
                var (seconds, rest) = Math.DivRem(time.GetTimestamp(), time.TimestampFrequency);
                return new TimeSpan((seconds * TimeSpan.TicksPerSecond) + (rest * TimeSpan.TicksPerSecond / time.TimestampFrequency));
            }
        }

        /// <summary>The moment now, with what shows a suspension of the machine.</summary>
        public ClockReading Reading
        {
            get
            {
                var uptime = time.Uptime;
                return new ClockReading(uptime, new TimeSpan(time.GetUtcNow().Ticks) - uptime);
            }
        }
    }

    extension(TimeSpan moment)
    {
        /// <summary>A moment later than this one; the end of time where it would be beyond that.</summary>
        public TimeSpan After(TimeSpan delay) => delay > TimeSpan.MaxValue - moment ? TimeSpan.MaxValue : moment + delay;

        /// <summary>
        /// This time as a timer takes it: whole milliseconds, for a timer cuts fractions off and would come too early, again and again; and no longer
        /// than a timer takes, after which it is set anew.
        /// </summary>
        public TimeSpan ToTimer() => moment > MaxTimer ? MaxTimer : TimeSpan.FromMilliseconds(Math.Ceiling(moment.TotalMilliseconds));
    }
}
