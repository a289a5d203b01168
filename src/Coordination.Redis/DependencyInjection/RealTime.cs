using System.Diagnostics;

namespace Coordination.Redis.DependencyInjection;

/// <summary>
/// Makes sure that the node's clock runs with real time, and its timers as well. A server's leases end by real time: on a clock that stands still
/// no lease would be renewed or lost, and two nodes would lead.
/// </summary>
internal static class RealTime
{
    /// <summary>Long enough for a clock with ticks of 16 ms.</summary>
    private static readonly TimeSpan Gap = TimeSpan.FromMilliseconds(50);

    /// <summary>How late a timer may be. The thread pool may be busy at a start.</summary>
    private static readonly TimeSpan TimerLimit = TimeSpan.FromSeconds(5);

    /// <summary>When a timer does not ring while it is looked at.</summary>
    private static readonly TimeSpan Distant = TimeSpan.FromHours(1);

    /// <summary>How often a clock is looked at that may go on by being looked at, as fake ones can be told to.</summary>
    private const int Looks = 1000;

    /// <exception cref="InvalidOperationException">It does not. The date is no matter.</exception>
    public static void Demand(TimeProvider time)
    {
        // Mostly it is the system's, and then nobody waits.
        if (ReferenceEquals(time, TimeProvider.System))
        {
            return;
        }

        var lacking = !RunsWithRealTime(time) ? "timestamps do" : !TimersRunWithRealTime(time) ? "timers do" : null;
        if (lacking is not null)
        {
            throw new InvalidOperationException(
                $"The TimeProvider that is registered is {time.GetType()}, whose {lacking} not run with real time; leases on a Redis server do. "
                + "Register TimeProvider.System, or for a test with a clock of its own choose UseInMemory() or UseControllableStore(…) after UseRedis(…).");
        }
    }

    private static bool RunsWithRealTime(TimeProvider time)
    {
        // Between two looks at a clock that nobody can stop, one from within and one from without: a thread that is held up makes both of them true.
        var outer = Stopwatch.GetTimestamp();
        var start = time.GetTimestamp();
        var inner = Stopwatch.GetTimestamp();
        Thread.Sleep(Gap);
        var atLeast = Stopwatch.GetElapsedTime(inner);
        for (var look = 0; look < Looks; look++)
        {
            _ = time.GetTimestamp();
        }

        var passed = time.GetElapsedTime(start);
        return passed >= atLeast / 2 && passed <= 2 * Stopwatch.GetElapsedTime(outer);
    }

    private static bool TimersRunWithRealTime(TimeProvider time)
    {
        using var distantRings = new ManualResetEventSlim();
        using var rings = new ManualResetEventSlim();
        using var distant = time.CreateTimer(Ring, distantRings, Distant, Timeout.InfiniteTimeSpan);
        var start = Stopwatch.GetTimestamp();
        using var timer = time.CreateTimer(Ring, rings, Gap, Timeout.InfiniteTimeSpan);
        if (!rings.Wait(TimerLimit) || Stopwatch.GetElapsedTime(start) < Gap / 2)
        {
            return false;
        }

        // On a busy machine one that rang at once is heard of late, as if it were a real one. So it is not left to the time alone: the distant one, set
        // before it, would have rung as well, be it by the queue of another processor, and have had its turn in the thread pool before what comes to it now.
        Thread.Sleep(Gap);
        using var turn = new ManualResetEventSlim();
        ThreadPool.UnsafeQueueUserWorkItem(Ring, turn);
        return turn.Wait(TimerLimit) && !distantRings.IsSet;
    }

    private static void Ring(object? bell) => ((ManualResetEventSlim)bell!).Set();
}
