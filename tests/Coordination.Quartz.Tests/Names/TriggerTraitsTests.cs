using Coordination.Quartz.Names;
using Coordination.Quartz.Tests.Jobs;
using Coordination.Quartz.Tests.Schedulers;
using Coordination.Stores.InMemory;
using Quartz;

namespace Coordination.Quartz.Tests.Names;

/// <summary>Triggers that were given no key.</summary>
public sealed class TriggerTraitsTests : NodesTest
{
    private readonly InMemoryLockStore _store = new();

    [Fact]
    [Promise("G11", "G13")]
    [Failure("F72")]
    public async Task Two_triggers_on_one_schedule_with_other_data_run_once_each()
    {
        foreach (var name in (string[])["ada", "bob"])
        {
            await StartAsync(name, quartz => quartz
                .AddTrigger(trigger => trigger.ForJob(Job).WithCronSchedule("* * * * * ?").UsingJobData("tenant", "north"))
                .AddTrigger(trigger => trigger.ForJob(Job).WithCronSchedule("* * * * * ?").UsingJobData("tenant", "south")));
        }

        await UntilAsync(() => Ledger.Runs.Select(run => run.FireTime).Distinct().Count() >= 4, "four fire times were run");
        var times = Ledger.Runs.Select(run => run.FireTime).Distinct().Order().ToList();
        await UntilAsync(() => Nodes.TrueForAll(node => node.Verdicts.All.Count(verdict => verdict.FireTime > times[2]) >= 2), "both nodes have come past the third");
        Assert.Equal(2, Ledger.Runs.Count(run => run.FireTime == times[1]));
        Assert.Equal(2, Ledger.Runs.Count(run => run.FireTime == times[2]));
    }

    [Fact]
    [Promise("G13")]
    [Failure("F72")]
    public async Task A_host_does_not_start_with_two_that_are_alike()
    {
        var failure = await Assert.ThrowsAsync<ArgumentException>(() => StartAsync("ada", quartz => quartz
            .AddTrigger(trigger => trigger.ForJob(Job).WithCronSchedule("0 0 3 * * ?"))
            .AddTrigger(trigger => trigger.ForJob(Job).WithCronSchedule("0 0 3 * * ?"))));
        Assert.Contains("DEFAULT.staged", failure.Message, StringComparison.Ordinal);
        Assert.Contains("WithIdentity", failure.Message, StringComparison.Ordinal);
    }

    /// <summary>A start in the past is missed, and fires at once.</summary>
    [Theory]
    [Promise("G11", "G13")]
    [Failure("F71", "F72", "F78")]
    [InlineData(-3600)]
    [InlineData(12)]
    public async Task One_that_fires_once_at_the_same_time_everywhere_runs_on_one_of_threeNodes(int seconds)
    {
        var at = DateTimeOffset.UtcNow.AddSeconds(seconds);
        foreach (var name in (string[])["ada", "bob", "cy"])
        {
            await StartAsync(name, quartz => quartz.AddTrigger(trigger => trigger.ForJob(Job).StartAt(at)));
        }

        await UntilAsync(() => Nodes.TrueForAll(node => node.Verdicts.All.Count == 1), "all have come to it");
        Assert.Single(Ledger.Runs);
        Assert.DoesNotContain(Nodes.SelectMany(node => node.Log), record => record.Id.Id == 1330);
    }

    [Fact]
    [Promise("G11")]
    [Failure("F72")]
    public async Task A_host_does_not_start_with_two_that_fire_once_at_the_same_time()
    {
        var at = DateTimeOffset.UtcNow.AddHours(1);
        var failure = await Assert.ThrowsAsync<ArgumentException>(() => StartAsync("ada", quartz => quartz
            .AddTrigger(trigger => trigger.ForJob(Job).StartAt(at))
            .AddTrigger(trigger => trigger.ForJob(Job).StartAt(at))));
        Assert.Contains("WithIdentity", failure.Message, StringComparison.Ordinal);
    }

    /// <summary>Other times are other triggers, and "now" is each node's own.</summary>
    [Fact]
    [Failure("F72")]
    public async Task All_that_fire_once_at_other_times_or_now_run()
    {
        var node = await StartAsync("ada", quartz => quartz
            .AddTrigger(trigger => trigger.ForJob(Job).StartAt(DateTimeOffset.UtcNow.AddHours(-2)))
            .AddTrigger(trigger => trigger.ForJob(Job).StartAt(DateTimeOffset.UtcNow.AddHours(-3)))
            .AddTrigger(trigger => trigger.ForJob(Job).StartNow())
            .AddTrigger(trigger => trigger.ForJob(Job).StartNow()));
        await UntilAsync(() => node.Verdicts.All.Count == 4, "all are over");
        Assert.Equal(4, Ledger.Runs.Count);
        Assert.Equal(2, node.Log.Count(record => record.Id.Id == 1330 && record.Message.Contains("WithIdentity", StringComparison.Ordinal)));
    }

    /// <summary>No record tells of what is scheduled at run time, and a generated key is another on each node.</summary>
    [Theory]
    [Promise("G11", "G13")]
    [Failure("F71", "F72")]
    [InlineData(false, null, true)]
    [InlineData(false, "each-second", false)]
    [InlineData(true, null, false)]
    public async Task A_trigger_that_repeats_under_a_key_that_may_be_generated_is_warned_of(bool registered, string? key, bool isWarnedOf)
    {
        var node = await StartAsync("ada", quartz =>
        {
            if (registered)
            {
                quartz.AddTrigger(trigger => trigger.ForJob(Job).WithCronSchedule("* * * * * ?"));
            }
        });
        if (!registered)
        {
            var trigger = TriggerBuilder.Create().ForJob(Job).WithCronSchedule("* * * * * ?");
            await node.Quartz.ScheduleJob((key is null ? trigger : trigger.WithIdentity(key)).Build(), cancellationToken: Cancellation);
        }

        await UntilAsync(() => node.Verdicts.All.Count >= 2, "two fires are over");
        Assert.Equal(isWarnedOf ? 1 : 0, node.Log.Count(record => record.Id.Id == 1334));
    }

    [Fact]
    public async Task A_host_starts_with_two_that_are_alike_if_they_have_keys_or_no_exclusive_job()
    {
        await StartAsync("ada", quartz => quartz
            .AddTrigger(trigger => trigger.ForJob(Job).WithIdentity("one").WithCronSchedule("0 0 3 * * ?"))
            .AddTrigger(trigger => trigger.ForJob(Job).WithIdentity("two").WithCronSchedule("0 0 3 * * ?"))
            .AddJob<StagedJob>(job => job.WithIdentity("shared").StoreDurably().UsingJobData(ExclusiveJobData.IsExclusive, bool.FalseString))
            .AddTrigger(trigger => trigger.ForJob("shared").WithCronSchedule("0 0 3 * * ?"))
            .AddTrigger(trigger => trigger.ForJob("shared").WithCronSchedule("0 0 3 * * ?")));
    }

    [Fact]
    [Failure("F72")]
    public void Schedule_calendar_priority_and_data_tell_triggers_apart_and_their_start_does_not()
    {
        string[] apart =
        [
            Describe(trigger => trigger.WithCronSchedule("0 0 3 * * ?")),
            Describe(trigger => trigger.WithCronSchedule("0 0 4 * * ?")),
            Describe(trigger => trigger.WithCronSchedule("0 0 3 * * ?").WithCalendarName("holidays")),
            Describe(trigger => trigger.WithCronSchedule("0 0 3 * * ?").WithPriority(7)),
            Describe(trigger => trigger.WithCronSchedule("0 0 3 * * ?").UsingJobData("tenant", "north")),
            Describe(trigger => trigger.WithCronSchedule("0 0 3 * * ?").UsingJobData("tenant", 1)),
            Describe(trigger => trigger.WithCronSchedule("0 0 3 * * ?").UsingJobData("Coordination.Tenant", "north")),
            Describe(trigger => trigger.WithCronSchedule("0 0 3 * * ?").UsingJobData("tenant", "n").UsingJobData("orth", "")),
            Describe(trigger => trigger.WithSimpleSchedule(schedule => schedule.WithInterval(TimeSpan.FromHours(1)).RepeatForever())),
            Describe(trigger => trigger.WithSimpleSchedule(schedule => schedule.WithInterval(TimeSpan.FromHours(1)).WithRepeatCount(3))),
            Describe(trigger => trigger.WithCalendarIntervalSchedule(schedule => schedule.WithInterval(1, IntervalUnit.Day))),
            Describe(trigger => trigger.WithDailyTimeIntervalSchedule(schedule => schedule.WithInterval(1, IntervalUnit.Hour))),
            Describe(trigger => trigger.WithDailyTimeIntervalSchedule(schedule => schedule.WithInterval(1, IntervalUnit.Hour).OnMondayThroughFriday())),
        ];
        Assert.Equal(apart.Length, apart.Distinct().Count());
        Assert.Equal(
            Describe(trigger => trigger.WithCronSchedule("0 0 3 * * ?").StartAt(DateTimeOffset.UnixEpoch)),
            Describe(trigger => trigger.WithCronSchedule("0 0 3 * * ?").UsingJobData(ExclusiveJobData.MaxWait, "00:00:09")));
    }

    private static string Describe(Action<TriggerBuilder<IJob>> configure)
    {
        var trigger = TriggerBuilder.Create();
        configure(trigger);
        return TriggerTraits.Describe(trigger.Build());
    }

    private Task<TestScheduler> StartAsync(string name, Action<IQuartzBuilder> schedule) =>
        StartAsync(_store, name, schedule, o => o.Defaults.OnConflict = JobConflictAction.Wait);
}
