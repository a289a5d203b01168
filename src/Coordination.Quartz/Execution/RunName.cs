using System.Globalization;

namespace Coordination.Quartz.Execution;

/// <summary>What a run is called in the store: which node, scheduler and fire it is of, and for which time.</summary>
/// <param name="NodeId">The node; null where the name is of another kind.</param>
/// <param name="Time">The fire time; null where the name does not have it.</param>
internal sealed record RunName(string? NodeId, DateTimeOffset? Time)
{
    private const char Separator = '/';

    public static string Of(string nodeId, string scheduler, string fireInstanceId, DateTimeOffset time) =>
        string.Create(CultureInfo.InvariantCulture, $"{nodeId}{Separator}{scheduler}{Separator}{fireInstanceId}{Separator}{time.UtcTicks}");

    /// <summary>Reads a name. One of an older version has no time.</summary>
    public static RunName? Parse(string? name)
    {
        if (name is null)
        {
            return null;
        }

        var words = name.Split(Separator);
        return new RunName(
            words[0],
            words.Length > 3 && long.TryParse(words[^1], NumberStyles.None, CultureInfo.InvariantCulture, out var ticks) && ticks <= DateTimeOffset.MaxValue.UtcTicks
                ? new DateTimeOffset(ticks, TimeSpan.Zero)
                : null);
    }
}
