using System.Text.RegularExpressions;
using Coordination.Packages.Tests.Building;

namespace Coordination.Packages.Tests;

/// <summary>Operators find a log line by its number, and set alerts on it: no two lines of all packages have the same.</summary>
public sealed partial class EventIdTests
{
    [GeneratedRegex(@"\[LoggerMessage\((\d+),")]
    private static partial Regex EventId { get; }

    [Fact]
    public void No_two_log_lines_have_the_same_number()
    {
        var lines = (
            from path in Tree.Sources
            where path.StartsWith("src/", StringComparison.Ordinal)
            from found in EventId.Matches(File.ReadAllText(Tree.PathTo(path)))
            select (Id: found.Groups[1].Value, Path: path)).ToList();

        Assert.True(lines.Count > 100, "The log lines are not found.");
        Assert.Empty(lines.GroupBy(line => line.Id).Where(same => same.Count() > 1).Select(same => $"{same.Key}: {string.Join(", ", same.Select(line => line.Path))}"));
    }
}
