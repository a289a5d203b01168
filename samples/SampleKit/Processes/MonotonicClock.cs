namespace SampleKit.Processes;

/// <summary>
/// The time since the machine was started, which all its processes share: moments that one process took can be compared with those
/// of another, and no change of the wall clock moves them.
/// </summary>
public static class MonotonicClock
{
    public static TimeSpan Now => TimeProvider.System.GetElapsedTime(0);
}
