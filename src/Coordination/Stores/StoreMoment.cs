namespace Coordination.Stores;

/// <summary>Moments on a store's clock.</summary>
internal static class StoreMoment
{
    extension(DateTimeOffset moment)
    {
        /// <summary>Microseconds since 1970.</summary>
        public long UnixMicroseconds => (moment - DateTimeOffset.UnixEpoch).Ticks / TimeSpan.TicksPerMicrosecond;

        /// <summary>Some time later, and the first or last moment there is where that is beyond it.</summary>
        public DateTimeOffset After(TimeSpan time) =>
            time >= DateTimeOffset.MaxValue - moment ? DateTimeOffset.MaxValue
            : time <= DateTimeOffset.MinValue - moment ? DateTimeOffset.MinValue
            : moment + time;
    }
}
