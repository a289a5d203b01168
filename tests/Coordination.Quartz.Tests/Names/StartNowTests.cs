using Coordination.Quartz.Names;
using Coordination.Quartz.Tests.Schedulers;
using Coordination.Stores.InMemory;
using Coordination.TestKit.Waiting;
using Quartz;

namespace Coordination.Quartz.Tests.Names;

/// <summary>Schedules that begin "now", which is another time on each node.</summary>
public sealed class StartNowTests : NodesTest
{
    private readonly InMemoryLockStore _store = new();

    public static TheoryData<string> Kinds => new("simple", "calendar");

    [Theory]
    [Promise("G11")]
    [Failure("F78")]
    [MemberData(nameof(Kinds))]
    public async Task A_schedule_that_repeats_from_now_on_runs_once_in_each_interval_on_threeNodes(string kind)
    {
        foreach (var name in (string[])["ada", "bob", "cy"])
        {
            await StartAsync(name, trigger => Repeat(trigger.StartNow(), kind));
        }

        await Eventually.IsTrueAsync(() => Nodes.TrueForAll(node => node.Verdicts.All.Count >= 5), Bound, "all came to five fires");
        await Task.WhenAll(Nodes.Select(node => node.StopAsync()));

        // Each interval once, and none is missing.
        var seconds = Ledger.Runs.Select(run => run.FireTime.ToUnixTimeSeconds()).Order().ToList();
        Assert.Equal(seconds.Distinct(), seconds);
        Assert.Equal(Enumerable.Range(0, seconds.Count).Select(second => seconds[0] + second), seconds);
        Assert.DoesNotContain(Nodes.SelectMany(node => node.Log), record => record.Id.Id == 1330);
    }

    [Fact]
    [Failure("F78")]
    public async Task A_schedule_that_each_node_has_for_itself_is_named_at_the_start()
    {
        var node = await StartAsync("ada", trigger => trigger.WithIdentity("first-thing").StartNow());
        var warning = Assert.Single(node.Log, record => record.Id.Id == 1330);
        Assert.Contains("first-thing", warning.Message, StringComparison.Ordinal);
        Assert.Contains("DEFAULT.staged", warning.Message, StringComparison.Ordinal);
    }

    [Fact]
    [Failure("F78")]
    public async Task A_schedule_that_is_over_before_the_host_has_started_is_named_as_well()
    {
        var node = await StartAsync("ada", trigger => trigger.WithIdentity("first-thing").StartNow(), quartz => quartz.AddSchedulerListener(new UntilNoTriggerIsLeft()));
        Assert.Single(Ledger.Runs);
        Assert.Single(node.Log, record => record.Id.Id == 1330);
    }

    [Fact]
    public async Task A_schedule_with_a_start_of_its_own_is_not_warned_of()
    {
        var later = await StartAsync("ada", trigger => trigger.WithIdentity("later").StartAt(DateTimeOffset.UtcNow.AddHours(1)));
        var cron = await StartAsync("bob", trigger => trigger.WithIdentity("cron").StartNow().WithCronSchedule("0 0 3 * * ?"));
        Assert.DoesNotContain(later.Log.Concat(cron.Log), record => record.Id.Id == 1330);
    }

    [Theory]
    [Failure("F78")]
    [InlineData(3, IntervalUnit.Second, false, "2026-03-28T10:00:01.5Z", "2026-03-28T10:00:00Z")]
    [InlineData(15, IntervalUnit.Minute, false, "2026-03-28T10:29:59Z", "2026-03-28T10:15:00Z")]
    [InlineData(1, IntervalUnit.Day, false, "2026-03-28T23:30:00Z", "2026-03-28T00:00:00Z")]

    // In Berlin it is the 29th.
    [InlineData(1, IntervalUnit.Day, true, "2026-03-28T23:30:00Z", "2026-03-29T00:00:00Z")]
    [InlineData(1, IntervalUnit.Week, true, "2026-03-29T22:30:00Z", "2026-03-30T00:00:00Z")]
    [InlineData(1, IntervalUnit.Month, true, "2026-03-31T22:30:00Z", "2026-04-01T00:00:00Z")]
    [InlineData(3, IntervalUnit.Month, true, "2026-03-31T21:30:00Z", "2026-01-01T00:00:00Z")]
    [InlineData(1, IntervalUnit.Year, true, "2026-12-31T23:30:00Z", "2027-01-01T00:00:00Z")]
    public void A_fire_is_called_by_the_begin_of_its_interval(int interval, IntervalUnit unit, bool keepsHour, string time, string begin)
    {
        var trigger = TriggerBuilder.Create().WithIdentity("trigger").StartAt(DateTimeOffset.Parse("2026-01-31T12:00:00Z", null)).WithCalendarIntervalSchedule(schedule => schedule
            .WithInterval(interval, unit).InTimeZone(TimeZoneInfo.FindSystemTimeZoneById("Europe/Berlin")).PreserveHourOfDayAcrossDaylightSavings(keepsHour)).Build();
        Assert.Equal(DateTimeOffset.Parse(begin, null), FireSlot.Find(trigger, DateTimeOffset.Parse(time, null))!.Value.Begin);
    }

    [Theory]
    [Failure("F78")]
    [InlineData(1, IntervalUnit.Day, true)]
    [InlineData(1, IntervalUnit.Day, false)]
    [InlineData(2, IntervalUnit.Week, true)]
    [InlineData(1, IntervalUnit.Month, true)]
    [InlineData(1, IntervalUnit.Month, false)]
    [InlineData(5, IntervalUnit.Hour, false)]
    public void No_two_fires_of_a_trigger_fall_into_one_interval(int interval, IntervalUnit unit, bool keepsHour)
    {
        foreach (var start in (string[])["2026-01-31T23:30:00Z", "2026-07-31T22:10:00Z", "2026-03-28T22:59:00Z", "2026-10-24T21:59:00Z"])
        {
            var trigger = TriggerBuilder.Create().WithIdentity("trigger").StartAt(DateTimeOffset.Parse(start, null)).WithCalendarIntervalSchedule(schedule => schedule
                .WithInterval(interval, unit).InTimeZone(TimeZoneInfo.FindSystemTimeZoneById("Europe/Berlin")).PreserveHourOfDayAcrossDaylightSavings(keepsHour)).Build();
            var (fire, last) = (trigger.GetFireTimeAfter(DateTimeOffset.Parse(start, null).AddSeconds(-1)), DateTimeOffset.MinValue);
            for (var i = 0; i < 60; i++)
            {
                var begin = FireSlot.Find(trigger, fire!.Value)!.Value.Begin;
                Assert.True(begin > last, $"The fire at {fire} and the one before it fall into {begin}.");
                (last, fire) = (begin, trigger.GetFireTimeAfter(fire));
            }
        }
    }

    private static void Repeat(ITriggerConfigurator<IJob> trigger, string kind) => _ = kind == "simple"
        ? trigger.WithIdentity("each-second").WithSimpleSchedule(schedule => schedule.WithInterval(TimeSpan.FromSeconds(1)).RepeatForever())
        : trigger.WithIdentity("each-second").WithCalendarIntervalSchedule(schedule => schedule.WithInterval(1, IntervalUnit.Second));

    private Task<TestScheduler> StartAsync(string name, Action<ITriggerConfigurator<IJob>> trigger, Action<IQuartzBuilder>? schedule = null) => StartAsync(
        _store,
        name,
        quartz =>
        {
            quartz.AddTrigger(configurator => trigger(configurator.ForJob(Job)));
            schedule?.Invoke(quartz);
        },
        o => o.Defaults.OnConflict = JobConflictAction.Wait);

    /// <summary>Has the start of a scheduler last until its triggers have fired.</summary>
    private sealed class UntilNoTriggerIsLeft : ISchedulerListener
    {
        public async ValueTask SchedulerStarted(IScheduler scheduler, CancellationToken cancellationToken = default) => await UntilAsync(
            async () => (await scheduler.GetTriggerKeys(GroupMatcher<TriggerKey>.AnyGroup(), cancellationToken)).Count == 0, "no trigger is left");
    }
}
