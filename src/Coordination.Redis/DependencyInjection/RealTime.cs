using System.Diagnostics;

namespace Coordination.Redis.DependencyInjection;

/// <summary>
/// Makes sure that the node's clock runs with real time. A server's leases end by real time: on a clock that stands still no lease would be
/// renewed or lost, and two nodes would lead.
/// </summary>
internal static class RealTime
{
    /// <summary>Long enough for a clock with ticks of 16 ms.</summary>
    private static readonly TimeSpan Gap = TimeSpan.FromMilliseconds(50);

    /// <exception cref="InvalidOperationException">It does not. The date is no matter.</exception>
    public static void Demand(TimeProvider time)
    {
        if (!IsOfTheSystem(time) && !RunsWithRealTime(time))
        {
            throw new InvalidOperationException(
                $"The TimeProvider that is registered is {time.GetType()}, whose timestamps do not run with real time; leases on a Redis server do. "
                + "Register TimeProvider.System, or for a test with a clock of its own choose UseInMemory() or UseControllableStore(…) after UseRedis(…).");
        }
    }

    /// <summary>Mostly it is, and then nobody waits.</summary>
    private static bool IsOfTheSystem(TimeProvider time)
    {
        var before = Stopwatch.GetTimestamp();
        var timestamp = time.GetTimestamp();
        return time.TimestampFrequency == Stopwatch.Frequency && before <= timestamp && timestamp <= Stopwatch.GetTimestamp();
    }

    private static bool RunsWithRealTime(TimeProvider time)
    {
        // Between two looks at a clock that nobody can stop, one from within and one from without: a thread that is held up makes both of them true.
        var outer = Stopwatch.GetTimestamp();
        var start = time.GetTimestamp();
        var inner = Stopwatch.GetTimestamp();
        Thread.Sleep(Gap);
        var atLeast = Stopwatch.GetElapsedTime(inner);
        var passed = time.GetElapsedTime(start);
        return passed >= atLeast / 2 && passed <= 2 * Stopwatch.GetElapsedTime(outer);
    }
}
