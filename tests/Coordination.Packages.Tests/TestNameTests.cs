using System.Text.RegularExpressions;
using Coordination.Packages.Tests.Building;

namespace Coordination.Packages.Tests;

/// <summary>A test's name is a sentence that fits on a line.</summary>
public sealed partial class TestNameTests
{
    private const int Limit = 80;

    private static readonly (string Path, int Line, string Name)[] Names =
        [.. from path in Tree.Sources
            from line in File.ReadLines(Tree.PathTo(path)).Index()
            let declaration = Declaration.Match(line.Item)
            where declaration.Success
            select (path, line.Index + 1, declaration.Groups["name"].Value)];

    [GeneratedRegex(@"^    public (static |virtual |override |async )*(void|Task|ValueTask) (?<name>\w+)\(")]
    private static partial Regex Declaration { get; }

    [GeneratedRegex("(^|_)[FG][0-9]+(_|$)")]
    private static partial Regex Id { get; }

    [Fact]
    public void A_name_has_eighty_characters_at_most()
    {
        Assert.Contains(Names, test => test.Name == nameof(A_name_has_eighty_characters_at_most));
        NoneOf(Names.Where(test => test.Name.Length > Limit));
    }

    [Fact]
    public void A_name_has_no_id_which_belongs_into_a_trait() => NoneOf(Names.Where(test => Id.IsMatch(test.Name)));

    private static void NoneOf(IEnumerable<(string Path, int Line, string Name)> faults) =>
        Assert.True(!faults.Any(), string.Join('\n', faults.Select(fault => $"{fault.Path}({fault.Line}): {fault.Name} ({fault.Name.Length})")));
}
