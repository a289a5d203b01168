using System.Runtime.InteropServices;

namespace Coordination.TestKit.Clocks;

/// <summary>
/// The time since the machine was started, which all its processes share: moments that one process took can be compared with those
/// of another, and no change of the wall clock moves them.
/// </summary>
public static partial class MachineClock
{
    private const int Monotonic = 1;

    /// <summary>Asked of the system itself: the clocks of this process may be those of a <see cref="ProcessClock"/>.</summary>
    public static TimeSpan Now
    {
        get
        {
            if (!OperatingSystem.IsLinux())
            {
                return TimeProvider.System.GetElapsedTime(0);
            }

            _ = GetTime(Monotonic, out var now);
            return new TimeSpan((now.Seconds * TimeSpan.TicksPerSecond) + (now.Nanoseconds / TimeSpan.NanosecondsPerTick));
        }
    }

    [LibraryImport("libc", EntryPoint = "clock_gettime")]
    private static partial int GetTime(int clock, out Moment now);

    [StructLayout(LayoutKind.Sequential)]
    private struct Moment
    {
        public nint Seconds;
        public nint Nanoseconds;
    }
}
