using System.Globalization;
using System.Text.RegularExpressions;
using Coordination.Chaos.Contenders;
using Coordination.Chaos.Scenarios;

namespace Coordination.Chaos.Tests;

/// <summary>What README says of how much is tried.</summary>
public sealed partial class ReadmeTests
{
    [Fact]
    public async Task README_says_how_many_scenarios_and_broken_locks_there_are()
    {
        var page = await File.ReadAllTextAsync(Path.Combine(AppContext.BaseDirectory, "README.md"), TestContext.Current.CancellationToken);
        Assert.Equal([Catalogue.All.Count, Catalogue.All.Count(scenario => scenario.IsOnPostgreSql), Contender.Broken.Count], Numbers(page));
    }

    private static IEnumerable<int> Numbers(string page) =>
        Said().Match(page).Groups.Values.Skip(1).Select(group => int.Parse(group.Value, CultureInfo.InvariantCulture));

    [GeneratedRegex(@"lists (?<all>\d+) scenarios.*?and (?<postgres>\d+) on PostgreSQL\..*?: (?<broken>\d+) locks are broken on purpose", RegexOptions.Singleline | RegexOptions.ExplicitCapture)]
    private static partial Regex Said();
}
