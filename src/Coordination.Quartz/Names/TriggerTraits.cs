using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Quartz;

namespace Coordination.Quartz.Names;

/// <summary>What a trigger has that is the same on all nodes, and that tells it from the other triggers of its job.</summary>
internal static class TriggerTraits
{
    /// <summary>All of it. The first part is empty, and so this is no key of a trigger.</summary>
    public static string Describe(ITrigger trigger) => LockName.Compose(
        "",
        DescribeSchedule(trigger),
        trigger.CalendarName ?? "",
        trigger.Priority.ToString(CultureInfo.InvariantCulture),
        DescribeData(trigger.JobDataMap));

    /// <summary>Its schedule. When it starts is left out, for "now" is another time on each node; but for one that fires once, and has nothing else.</summary>
    public static string DescribeSchedule(ITrigger trigger) => trigger switch
    {
        ICronTrigger cron => $"cron {cron.CronExpressionString} {TimeZoneRules.Describe(cron.TimeZone)}",
        ISimpleTrigger { RepeatCount: 0 } once => string.Create(CultureInfo.InvariantCulture, $"once {once.StartTimeUtc.UtcDateTime:O}"),
        ISimpleTrigger simple => string.Create(CultureInfo.InvariantCulture, $"every {simple.RepeatInterval:c} {simple.RepeatCount}"),
        ICalendarIntervalTrigger calendar => string.Create(CultureInfo.InvariantCulture, $"every {calendar.RepeatInterval} {calendar.RepeatIntervalUnit} {TimeZoneRules.Describe(calendar.TimeZone)}"),
        IDailyTimeIntervalTrigger daily => string.Create(
            CultureInfo.InvariantCulture,
            $"daily {daily.StartTimeOfDay} {daily.EndTimeOfDay} every {daily.RepeatInterval} {daily.RepeatIntervalUnit} {daily.RepeatCount} {string.Join(' ', daily.DaysOfWeek.Order())} {TimeZoneRules.Describe(daily.TimeZone)}"),
        IRecurrenceTrigger recurrence => $"{recurrence.RecurrenceRule} {TimeZoneRules.Describe(recurrence.TimeZone)}",
        _ => trigger.GetType().ToString(),
    };

    /// <summary>A hash of the data, without what is set of exclusivity, which says how to run and not what.</summary>
    private static string DescribeData(JobDataMap data)
    {
        var text = new StringBuilder();
        foreach (var (key, value) in data.Where(entry => !ExclusiveJobData.IsSetting(entry.Key)).OrderBy(entry => entry.Key, StringComparer.Ordinal))
        {
            // An object may have no text of its own, or another on each node.
            var told = value switch
            {
                null => "",
                string or IFormattable => string.Create(CultureInfo.InvariantCulture, $"{value}"),
                bool flag => flag.ToString(CultureInfo.InvariantCulture),
                _ => value.GetType().ToString(),
            };
            text.Append(CultureInfo.InvariantCulture, $"{key.Length}:{key}{told.Length}:{told}");
        }

        return text.Length == 0 ? "" : Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(text.ToString())).AsSpan(0, 8));
    }
}
