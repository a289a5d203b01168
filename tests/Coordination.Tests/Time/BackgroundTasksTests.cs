using Coordination.TestKit.Clocks;
using Coordination.Time;

namespace Coordination.Tests.Time;

public sealed class BackgroundTasksTests
{
    private static readonly TimeSpan Bound = TimeSpan.FromMinutes(1);

    private readonly TestClock _clock = new();
    private readonly BackgroundTasks _tasks;

    public BackgroundTasksTests() => _tasks = new BackgroundTasks(_clock);

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public void Where_nothing_runs_nobody_waits() => Assert.True(_tasks.DrainAsync(TimeSpan.FromSeconds(1)).IsCompletedSuccessfully);

    [Fact]
    public async Task A_drain_waits_for_all_that_run()
    {
        var (first, second) = (_tasks.Begin(), _tasks.Begin());
        var draining = _tasks.DrainAsync(TimeSpan.FromSeconds(1));
        first.Dispose();
        Assert.False(draining.IsCompleted);
        second.Dispose();
        await draining.WaitAsync(Bound, Cancellation);
    }

    [Fact]
    public async Task A_drain_gives_up_at_its_limit_without_an_exception()
    {
        using var running = _tasks.Begin();
        var draining = _tasks.DrainAsync(TimeSpan.FromSeconds(1));
        Assert.False(draining.IsCompleted);
        _clock.Advance(TimeSpan.FromSeconds(1));
        await draining.WaitAsync(Bound, Cancellation);
    }
}
