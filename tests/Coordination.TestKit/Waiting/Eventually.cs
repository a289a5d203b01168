using System.Diagnostics;

namespace Coordination.Redis.Tests.Servers;

/// <summary>Waits for a condition, with a bound.</summary>
public static class Eventually
{
    public static Task IsTrueAsync(Func<bool> condition, TimeSpan limit, string what) =>
        IsTrueAsync(() => Task.FromResult(condition()), limit, what);

    public static async Task IsTrueAsync(Func<Task<bool>> condition, TimeSpan limit, string what)
    {
        var start = Stopwatch.GetTimestamp();
        while (!await condition())
        {
            Assert.True(Stopwatch.GetElapsedTime(start) < limit, $"Not within {limit}: {what}");
            await Task.Delay(10, TestContext.Current.CancellationToken);
        }
    }
}
