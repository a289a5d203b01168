using System.Diagnostics;

namespace Coordination.TestKit.Waiting;

/// <summary>
/// Waits for what mostly comes at once, and may never come. Counted in time and in turns of the processor: where this thread had few turns, as on a machine that
/// lets the whole process stand still, those that are waited for may have had none.
/// </summary>
public static class Breath
{
    /// <summary>As many as this thread has in a quarter of a second on a quiet machine, or half as many.</summary>
    private const int Turns = 100;

    private static readonly TimeSpan Time = TimeSpan.FromMilliseconds(250);

    /// <returns>Whether it came.</returns>
    public static bool Until(Func<bool> condition)
    {
        var start = Stopwatch.GetTimestamp();
        var turns = default(SpinWait);
        while (!condition())
        {
            if (turns.Count >= Turns && Stopwatch.GetElapsedTime(start) >= Time)
            {
                return false;
            }

            turns.SpinOnce();
        }

        return true;
    }
}
