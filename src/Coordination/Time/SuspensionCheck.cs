namespace Coordination.Time;

/// <summary>
/// Notices that the machine was suspended, as a laptop or a virtual machine is: its monotonic clock may have stood still meanwhile, as it does on
/// Linux, and deadlines that count on it would come too late by as much. The wall clock went on.
/// </summary>
/// <remarks>A wall clock that somebody sets looks the same, which is why nothing is lost by it: leases are only renewed at once.</remarks>
internal sealed class SuspensionCheck(TimeProvider time)
{
    private TimeSpan _ahead = Ahead(time);

    /// <summary>How far the wall clock is ahead of the monotonic one, which says something beside what it was at another time.</summary>
    public static TimeSpan Ahead(TimeProvider time) => new TimeSpan(time.GetUtcNow().Ticks) - time.Uptime;

    /// <summary>How far the wall clock ran ahead of the monotonic one since the last look.</summary>
    public TimeSpan Look()
    {
        var before = _ahead;
        _ahead = Ahead(time);
        return _ahead - before;
    }
}
