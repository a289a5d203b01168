using Coordination.Packages.Tests.Building;

namespace Coordination.Packages.Tests.Architecture;

/// <summary>The folders of a package have an order, also those inside a room of the core: none knows another that knows it.</summary>
public sealed class FolderTests
{
    private const string Core = "Coordination";

    /// <summary>Where the folders go to and fro between public types, what serves them, and what is logged of both.</summary>
    private static readonly string[] WithoutOrder = ["Coordination.Hosting", "Coordination.Quartz"];

    public static TheoryData<string> Ordered => [.. Tree.Packages.Except(WithoutOrder).Where(package => package != Core)];

    public static TheoryData<string> Unordered => [.. WithoutOrder];

    [Fact]
    public void No_two_folders_of_the_core_know_each_other() => AssertHasOrder(Core);

    [Theory]
    [MemberData(nameof(Ordered))]
    [Needs(Need.LongTier)]
    public void No_two_folders_of_a_package_know_each_other_directly_or_through_others(string package) => AssertHasOrder(package);

    [Theory]
    [MemberData(nameof(Unordered))]
    [Needs(Need.LongTier)]
    [Due("an order of the folders of Hosting and Quartz", " -> ")]
    public void No_two_folders_of_services_or_jobs_know_each_other(string package) => AssertHasOrder(package);

    private static void AssertHasOrder(string package)
    {
        var sources = SourceTree.Of(package);
        Assert.Empty(sources.Faults);
        var types = sources.Arrows.Where(arrow => !arrow.IsFolder);
        var cycles = SourceArrow.Cycles(types, arrow => SourceFile.FolderOf(arrow.From.Path), arrow => SourceFile.FolderOf(arrow.To)).ToList();
        Assert.True(cycles.Count == 0, string.Join('\n', cycles));
    }
}
