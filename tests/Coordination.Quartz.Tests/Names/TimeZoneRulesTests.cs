using Coordination.Quartz.Names;
using Coordination.Quartz.Tests.Jobs;
using Coordination.Quartz.Tests.Schedulers;
using Coordination.Stores.InMemory;
using Coordination.TestKit.Waiting;
using Quartz;

namespace Coordination.Quartz.Tests.Names;

/// <summary>One time zone has many spellings.</summary>
public sealed class TimeZoneRulesTests
{
    private static readonly TimeSpan Bound = TimeSpan.FromMinutes(1);

    [Theory]
    [Failure("F73")]
    [InlineData("UTC", "Etc/UTC")]
    [InlineData("UTC", "Zulu")]
    [InlineData("UTC", "Universal")]
    [InlineData("UTC", "Etc/GMT")]
    [InlineData("Asia/Kolkata", "Asia/Calcutta")]
    [InlineData("Asia/Kolkata", "India Standard Time")]
    [InlineData("Europe/Berlin", "W. Europe Standard Time")]
    [InlineData("America/New_York", "Eastern Standard Time")]
    [InlineData("America/New_York", "US/Eastern")]
    public void Spellings_of_one_zone_are_one(string one, string other)
    {
        // A machine may not know the older ones.
        if (TimeZoneInfo.TryFindSystemTimeZoneById(other, out var zone))
        {
            Assert.Equal(TimeZoneRules.Describe(TimeZoneInfo.FindSystemTimeZoneById(one)), TimeZoneRules.Describe(zone));
        }
    }

    [Fact]
    [Failure("F73")]
    public void A_zone_whose_rules_are_written_in_another_way_is_the_same()
    {
        // As Windows has it: one rule for all years, on the last Sundays of March and October.
        var (march, october) = (LastSunday(3, 2), LastSunday(10, 3));
        var rule = TimeZoneInfo.AdjustmentRule.CreateAdjustmentRule(DateTime.MinValue.Date, DateTime.MaxValue.Date, TimeSpan.FromHours(1), march, october);
        var windows = TimeZoneInfo.CreateCustomTimeZone("W. Europe Standard Time", TimeSpan.FromHours(1), "Berlin", "Berlin", "Berlin", [rule]);
        Assert.Equal("UTC+01:00 03-30 01:00+02:00 10-26 01:00+01:00", TimeZoneRules.Describe(windows));
        Assert.Equal(TimeZoneRules.Describe(TimeZoneInfo.FindSystemTimeZoneById("Europe/Berlin")), TimeZoneRules.Describe(windows));

        static TimeZoneInfo.TransitionTime LastSunday(int month, int hour) => TimeZoneInfo.TransitionTime.CreateFloatingDateRule(new DateTime(1, 1, 1, hour, 0, 0), month, 5, DayOfWeek.Sunday);
    }

    [Fact]
    public void Zones_with_other_clocks_are_told_apart()
    {
        string[] zones = ["UTC", "Europe/London", "Europe/Berlin", "America/New_York", "America/Phoenix", "Asia/Kolkata", "Australia/Lord_Howe", "America/St_Johns"];
        Assert.Equal(zones.Length, zones.Select(zone => TimeZoneRules.Describe(TimeZoneInfo.FindSystemTimeZoneById(zone))).Distinct().Count());
        Assert.Equal("UTC+00:00", TimeZoneRules.Describe(TimeZoneInfo.Utc));
        Assert.Equal("UTC-03:30 03-09 05:30-02:30 11-02 04:30-03:30", TimeZoneRules.Describe(TimeZoneInfo.FindSystemTimeZoneById("America/St_Johns")));
    }

    [Fact]
    [Promise("G11", "G13")]
    [Failure("F73")]
    public async Task Nodes_that_spell_the_zone_of_a_schedule_differently_run_it_once()
    {
        var (store, ledger) = (new InMemoryLockStore(), new Ledger());
        await using var ada = await StartAsync("ada", TimeZoneInfo.Utc);
        await using var bob = await StartAsync("bob", TimeZoneInfo.FindSystemTimeZoneById("Etc/UTC"));
        await Eventually.IsTrueAsync(() => ada.Verdicts.All.Count >= 4 && bob.Verdicts.All.Count >= 4, Bound, "both came to four fire times");
        Assert.NotEqual(TimeZoneInfo.Utc.Id, TimeZoneInfo.FindSystemTimeZoneById("Etc/UTC").Id);
        ledger.AssertOncePerFireTime();

        Task<TestScheduler> StartAsync(string name, TimeZoneInfo zone) => TestScheduler.StartAsync(store, ledger, name, quartz => quartz
            .AddJob<StagedJob>(job => job.WithIdentity("staged").StoreDurably())
            .AddTrigger(trigger => trigger.ForJob("staged").WithCronSchedule("* * * * * ?", schedule => schedule.InTimeZone(zone))));
    }
}
