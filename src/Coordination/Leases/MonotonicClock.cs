namespace Coordination;

/// <summary>Moments on the monotonic clock, as the time since its own origin: what deadlines are compared with.</summary>
internal static class MonotonicClock
{
    extension(TimeProvider time)
    {
        /// <summary>The moment now. Only differences to other moments of the same provider mean anything.</summary>
        public TimeSpan Uptime => time.GetElapsedTime(0);
    }
}
