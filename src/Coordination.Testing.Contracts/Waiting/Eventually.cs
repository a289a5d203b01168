using System.Runtime.CompilerServices;

namespace Coordination.Testing.Contracts.Waiting;

/// <summary>Waits until a condition holds, with a bound: the one loop of the tests that lets time pass.</summary>
internal static class Eventually
{
    private static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(10);

    public static Task IsTrueAsync(Func<bool> condition, TimeSpan within, [CallerArgumentExpression(nameof(condition))] string what = "") =>
        IsTrueAsync(() => Task.FromResult(condition()), within, what);

    public static async Task IsTrueAsync(Func<Task<bool>> condition, TimeSpan within, [CallerArgumentExpression(nameof(condition))] string what = "")
    {
        var start = TimeProvider.System.GetTimestamp();
        while (!await condition())
        {
            Assert.True(TimeProvider.System.GetElapsedTime(start) < within, $"Not within {within}: {what}");
            // Between two looks.
            await Task.Delay(Interval, TestContext.Current.CancellationToken);
        }
    }
}
