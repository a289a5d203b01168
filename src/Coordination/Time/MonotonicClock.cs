namespace Coordination.Time;

/// <summary>Moments on the monotonic clock, as the time since its own origin: what deadlines are compared with.</summary>
internal static class MonotonicClock
{
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
    }
}
