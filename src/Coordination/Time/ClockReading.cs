namespace Coordination.Time;

/// <summary>
/// What the clocks showed in one moment. The machine may be suspended between two of them, as a laptop or a virtual machine is: its monotonic clock
/// may then have stood still, as it does on Linux, and deadlines that count on it would come too late by as much. The wall clock went on.
/// </summary>
/// <param name="Uptime">The monotonic clock.</param>
/// <param name="WallAhead">How far the wall clock was ahead of it. Means something only beside another reading.</param>
internal readonly record struct ClockReading(TimeSpan Uptime, TimeSpan WallAhead)
{
    /// <summary>How much more time has passed until a later reading than the monotonic clock says: as long as the machine was suspended.</summary>
    /// <remarks>A wall clock that somebody sets looks the same, so nothing may be lost by it alone.</remarks>
    public TimeSpan SuspendedUntil(ClockReading later) => later.WallAhead - WallAhead;
}
