namespace Coordination.TestKit.Clocks;

/// <summary>
/// The time since the machine was started, which all its processes share: moments that one process took can be compared with those
/// of another, and no change of the wall clock moves them.
/// </summary>
public static class MachineClock
{
    public static TimeSpan Now => TimeProvider.System.GetElapsedTime(0);
}
