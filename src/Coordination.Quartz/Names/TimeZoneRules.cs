using System.Collections.Concurrent;
using System.Globalization;
using System.Text;

namespace Coordination.Quartz.Names;

/// <summary>
/// Names time zones by what clocks showed there in one year. <c>UTC</c>, <c>Etc/UTC</c> and <c>Zulu</c> are spellings of one zone, as are
/// <c>Asia/Calcutta</c>, <c>Asia/Kolkata</c> and <c>India Standard Time</c>, and which of them a machine knows depends on its data; what its clocks show does not.
/// </summary>
/// <remarks>
/// A year that is over, for which all data agree, however old or new they are. Two zones with the same rules in that year are taken for one: then a
/// schedule has the same times in both.
/// </remarks>
internal static class TimeZoneRules
{
    private static readonly DateTime Begin = new(2025, 1, 1, 0, 0, 0, DateTimeKind.Utc);
    private static readonly DateTime End = new(2026, 1, 1, 0, 0, 0, DateTimeKind.Utc);
    private static readonly ConcurrentDictionary<TimeZoneInfo, string> Known = new();

    public static string Describe(TimeZoneInfo zone) => Known.GetOrAdd(zone, static zone => Observe(zone));

    private static string Observe(TimeZoneInfo zone)
    {
        var offset = zone.GetUtcOffset(Begin);
        var rules = new StringBuilder("UTC").Append(Write(offset));
        for (var day = Begin; day < End; day = day.AddDays(1))
        {
            if (zone.GetUtcOffset(day.AddDays(1)) is var next && next != offset)
            {
                rules.Append(CultureInfo.InvariantCulture, $" {FindChange(zone, day, offset):MM-dd HH:mm}").Append(Write(next));
                offset = next;
            }
        }

        return rules.ToString();
    }

    /// <summary>The minute of a day at which the clocks are changed.</summary>
    private static DateTime FindChange(TimeZoneInfo zone, DateTime day, TimeSpan before)
    {
        var (low, high) = (0, 24 * 60);
        while (high - low > 1)
        {
            var middle = (low + high) / 2;
            (low, high) = zone.GetUtcOffset(day.AddMinutes(middle)) == before ? (middle, high) : (low, middle);
        }

        return day.AddMinutes(high);
    }

    private static string Write(TimeSpan offset) => (offset < TimeSpan.Zero ? "-" : "+") + offset.ToString(@"hh\:mm", CultureInfo.InvariantCulture);
}
