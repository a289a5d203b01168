using System.Text.RegularExpressions;
using Coordination.Packages.Tests.Building;

namespace Coordination.Packages.Tests;

/// <summary>
/// Tests wait for signals and conditions. One that lets a fixed time pass, because that is what it tests, says so in a comment above.
/// </summary>
public sealed partial class FixedWaitTests
{
    /// <summary>Programs whose faults and measurements take the time that they are asked to take.</summary>
    private static readonly string[] Programs = ["tests/Coordination.Benchmarks/", "tests/Coordination.Chaos/"];

    [GeneratedRegex(@"Task\.Delay\((?!Timeout\.Infinite)|Thread\.Sleep\(|new PeriodicTimer\(|^\s*(while|for) \(.*GetElapsedTime\(.* < ")]
    private static partial Regex Wait { get; }

    [Fact]
    public void A_fixed_wait_says_above_it_why_it_is_one()
    {
        var waits = Tree.Sources.Where(IsOfTests).SelectMany(Waits).ToList();
        Assert.Contains(waits, wait => wait.Says);
        Assert.True(waits.All(wait => wait.Says), string.Join('\n', waits.Where(wait => !wait.Says).Select(wait => wait.Place)));
    }

    private static bool IsOfTests(string path) =>
        (path.StartsWith("tests/", StringComparison.Ordinal) || path.StartsWith("src/Coordination.Testing.Contracts/", StringComparison.Ordinal))
        && !Array.Exists(Programs, program => path.StartsWith(program, StringComparison.Ordinal));

    private static IEnumerable<(string Place, bool Says)> Waits(string path)
    {
        var lines = File.ReadAllLines(Tree.PathTo(path));
        return
            from line in lines.Index()
            where Wait.IsMatch(line.Item)
            select ($"{path}({line.Index + 1}): {line.Item.Trim()}", line.Index > 0 && lines[line.Index - 1].TrimStart().StartsWith("// ", StringComparison.Ordinal));
    }
}
