using Quartz;

namespace Coordination.Quartz.Names;

/// <summary>
/// The slot of an interval that a fire falls into. A trigger that repeats from its start on has other fire times on each node where the start is "now",
/// and one fire in each slot everywhere.
/// </summary>
/// <param name="Begin">When it begins, which is what nodes call it.</param>
/// <param name="Length">How long it is, at most.</param>
internal readonly record struct FireSlot(DateTimeOffset Begin, TimeSpan Length)
{
    /// <summary>The slot of a fire; null when the trigger has none, because its fire times do not depend on its start, or because nothing but its start says when it fires.</summary>
    public static FireSlot? Find(ITrigger trigger, DateTimeOffset time) => trigger switch
    {
        ISimpleTrigger { RepeatCount: not 0, RepeatInterval: var interval } when interval > TimeSpan.Zero => OfDuration(time, interval),
        ICalendarIntervalTrigger { RepeatInterval: > 0 } calendar => OfCalendar(calendar, time),
        _ => null,
    };

    private static FireSlot? OfCalendar(ICalendarIntervalTrigger trigger, DateTimeOffset time) => trigger.RepeatIntervalUnit switch
    {
        IntervalUnit.Millisecond => OfDuration(time, TimeSpan.FromMilliseconds(trigger.RepeatInterval)),
        IntervalUnit.Second => OfDuration(time, TimeSpan.FromSeconds(trigger.RepeatInterval)),
        IntervalUnit.Minute => OfDuration(time, TimeSpan.FromMinutes(trigger.RepeatInterval)),
        IntervalUnit.Hour => OfDuration(time, TimeSpan.FromHours(trigger.RepeatInterval)),
        IntervalUnit.Day => OfDays(trigger, time, trigger.RepeatInterval),
        IntervalUnit.Week => OfDays(trigger, time, 7 * trigger.RepeatInterval),
        IntervalUnit.Month => OfMonths(trigger, time, trigger.RepeatInterval),
        IntervalUnit.Year => OfMonths(trigger, time, 12 * trigger.RepeatInterval),
        _ => null,
    };

    private static FireSlot OfDuration(DateTimeOffset time, TimeSpan length) => new(new DateTimeOffset(time.UtcTicks - (time.UtcTicks % length.Ticks), TimeSpan.Zero), length);

    /// <summary>Days are of 24 hours, or, where the hour of the day is kept, those of the calendar.</summary>
    private static FireSlot OfDays(ICalendarIntervalTrigger trigger, DateTimeOffset time, int days) => OfDuration(
        trigger.PreserveHourOfDayAcrossDaylightSavings ? new DateTimeOffset(TimeZoneInfo.ConvertTime(time, trigger.TimeZone).DateTime, TimeSpan.Zero) : time,
        TimeSpan.FromDays(days));

    /// <summary>Months are those of the time zone, or, where the hour of the day is not kept, of the offset that it had at the start.</summary>
    private static FireSlot OfMonths(ICalendarIntervalTrigger trigger, DateTimeOffset time, int months)
    {
        var local = trigger.PreserveHourOfDayAcrossDaylightSavings ? TimeZoneInfo.ConvertTime(time, trigger.TimeZone) : time.ToOffset(trigger.TimeZone.GetUtcOffset(trigger.StartTimeUtc));
        var month = (local.Year * 12) + local.Month - 1;
        month -= month % months;
        return new FireSlot(new DateTimeOffset(month / 12, (month % 12) + 1, 1, 0, 0, 0, TimeSpan.Zero), TimeSpan.FromDays(31 * months));
    }
}
