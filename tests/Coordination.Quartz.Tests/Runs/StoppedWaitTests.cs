using Coordination.Quartz.Tests.Schedulers;
using Coordination.Testing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Quartz;

namespace Coordination.Quartz.Tests.Runs;

/// <summary>What is said of a fire that waited when its scheduler shut down: a warning only where nobody else is known to run it.</summary>
[Failure("F75")]
[Promise("G11")]
public sealed class StoppedWaitTests : NodesTest
{
    private const string LockName = "tests/QuartzScheduler/DEFAULT/staged";

    private readonly ControllableLockStore _store = new();
    private readonly DateTimeOffset _now = DateTimeOffset.UtcNow;

    /// <summary>As on each deployment.</summary>
    [Fact]
    public async Task A_node_that_stood_by_and_stops_names_the_one_that_runs_the_fire()
    {
        var (ada, bob) = (await StartAsync("ada", Recover), await StartAsync("bob", Recover));
        var stage = HoldOf(ada);
        await ScheduleAsync(ada);
        await UntilAsync(() => Ledger.Runs.Count == 1, "ada runs it");
        await ScheduleAsync(bob);
        await UntilAsync(() => WaitersAsync(1), "bob stands by");
        await bob.StopAsync().WaitAsync(Bound, Cancellation);

        Assert.Contains("ada", AssertTold(bob, 1315, LogLevel.Information), StringComparison.Ordinal);
        stage.LetGo();
        await UntilAsync(() => ada.Verdicts.All.Count == 1, "ada's run is over");
        AssertNoWarnings();

        static void Recover(QuartzExclusivityOptions options) => options.Defaults.OnCrash = JobCrashAction.Recover;
    }

    [Fact]
    public async Task A_node_that_waited_and_stops_names_the_one_that_has_begun_the_fire_meanwhile()
    {
        var (ada, bob) = (await StartAsync("ada"), await StartAsync("bob"));
        HoldOf(ada);
        _store.GrantTo(LockName, "other", TimeSpan.FromHours(1));
        await ScheduleAsync(ada);
        await UntilAsync(() => WaitersAsync(1), "ada waits");
        await ScheduleAsync(bob);
        await UntilAsync(() => WaitersAsync(2), "bob waits");
        await FreeAsync();
        await UntilAsync(() => Ledger.Runs.Count == 1, "ada runs it");
        await bob.StopAsync().WaitAsync(Bound, Cancellation);

        Assert.Contains("ada", AssertTold(bob, 1315, LogLevel.Information), StringComparison.Ordinal);
        AssertNoWarnings();
    }

    [Fact]
    public async Task A_node_that_waited_and_stops_names_another_that_waits_as_well()
    {
        var (ada, bob) = (await StartAsync("ada"), await StartAsync("bob"));
        _store.GrantTo(LockName, "other", TimeSpan.FromHours(1));
        await ScheduleAsync(ada);
        await ScheduleAsync(bob);
        await UntilAsync(() => WaitersAsync(2), "both wait");
        await bob.StopAsync().WaitAsync(Bound, Cancellation);

        Assert.Contains("ada", AssertTold(bob, 1316, LogLevel.Information), StringComparison.Ordinal);
        await FreeAsync();
        await UntilAsync(() => ada.Verdicts.All.Count == 1, "ada's fire is over");
        Assert.Single(Ledger.Runs);
        AssertNoWarnings();
    }

    /// <summary>What another node waits for is another fire where it was asked for by hand, and where a store gives each fire to one node.</summary>
    [Theory]
    [InlineData(false, false, false)]
    [InlineData(true, false, true)]
    [InlineData(false, true, true)]
    public async Task A_fire_that_nobody_else_is_known_to_run_is_a_warning_that_says_what_to_do(bool byHand, bool isPersistent, bool anotherWaits)
    {
        var (ada, bob) = (await StartAsync("ada", isPersistent: isPersistent), await StartAsync("bob", isPersistent: isPersistent));
        _store.GrantTo(LockName, "other", TimeSpan.FromHours(1));
        if (anotherWaits)
        {
            await ada.Quartz.TriggerJob(Job, Cancellation);
        }

        await (byHand ? bob.Quartz.TriggerJob(Job, Cancellation).AsTask() : ScheduleAsync(bob));
        await UntilAsync(() => WaitersAsync(anotherWaits ? 2 : 1), "they wait");
        await bob.StopAsync().WaitAsync(Bound, Cancellation);
        Assert.Contains(nameof(IScheduler.TriggerJob), AssertTold(bob, 1322, LogLevel.Warning), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_store_that_does_not_tell_who_runs_a_fire_is_no_warning_and_holds_up_no_stop(bool hangs)
    {
        var bob = await StartAsync("bob");
        _store.GrantTo(LockName, "other", TimeSpan.FromHours(1));
        await ScheduleAsync(bob);
        await UntilAsync(() => WaitersAsync(1), "bob waits");
        (_store.IsAway, _store.Hang) = (!hangs, hangs);
        await bob.StopAsync().WaitAsync(TimeSpan.FromMinutes(1), Cancellation);
        (_store.IsAway, _store.Hang) = (false, false);

        AssertTold(bob, 1317, LogLevel.Information);
    }

    /// <summary>The lock became free in the moment of the look.</summary>
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_look_that_meets_a_free_lock_leaves_it_and_the_fire_to_others(bool recovers)
    {
        var bob = await StartAsync("bob", options => options.Defaults.OnCrash = recovers ? JobCrashAction.Recover : JobCrashAction.Skip);
        _store.GrantTo(LockName, "other", TimeSpan.FromHours(1));
        await ScheduleAsync(bob);
        await UntilAsync(() => WaitersAsync(1), "bob waits");
        _store.DropNotifications = true;
        _store.LoseLock(LockName);
        await bob.StopAsync().WaitAsync(Bound, Cancellation);
        AssertTold(bob, 1322, LogLevel.Warning);
        Assert.Equal(0, _store.Count);

        _store.DropNotifications = false;
        var ada = await StartAsync("ada");
        await ScheduleAsync(ada);
        await UntilAsync(() => ada.Verdicts.All.Count == 1, "ada's fire is over");
        Assert.Single(Ledger.Runs);
    }

    private static string AssertTold(TestScheduler node, int id, LogLevel level)
    {
        var told = Assert.Single(node.Log, record => record.Id.Id is 1315 or 1316 or 1317 or 1322 or 1327);
        Assert.Equal((id, level), (told.Id.Id, told.Level));
        return told.Message;
    }

    private static Stage HoldOf(TestScheduler node)
    {
        var stage = node.Services.GetRequiredService<Stage>();
        stage.Act = (_, cancellationToken) => stage.HoldAsync(cancellationToken);
        return stage;
    }

    private void AssertNoWarnings() =>
        Assert.DoesNotContain(Nodes.SelectMany(node => node.Log), record => record.Id.Id is >= 1300 and < 1400 && record.Level >= LogLevel.Warning);

    private async Task<bool> WaitersAsync(int count) => (await _store.InspectAsync(LockName, 10, Cancellation)).Waiters.Count == count;

    private async Task FreeAsync() =>
        Assert.True(await _store.RevokeAsync(LockName, (await _store.GetHolderAsync(LockName, Cancellation))!.FencingToken, TimeSpan.FromSeconds(2), Cancellation));

    /// <summary>The same on each node: now, and then in an hour.</summary>
    private async Task ScheduleAsync(TestScheduler node) => await node.Quartz.ScheduleJob(
        TriggerBuilder.Create().ForJob(Job).WithIdentity("hourly").StartAt(_now).WithSimpleSchedule(schedule => schedule.WithInterval(TimeSpan.FromHours(1)).RepeatForever()).Build(),
        cancellationToken: Cancellation);

    private Task<TestScheduler> StartAsync(string name, Action<QuartzExclusivityOptions>? exclusivity = null, bool isPersistent = false) =>
        StartAsync(_store, name, isPersistent ? quartz => quartz.UseJobStore(SharedJobStore.Create) : null, exclusivity);
}
