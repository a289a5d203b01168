using Coordination.Packages.Tests.Building;

namespace Coordination.Packages.Tests.Architecture;

/// <summary>The rooms of the core stand in an order, and each knows only those above it. A failure names the file, the line and the arrow.</summary>
public sealed class RoomTests
{
    private static readonly string[] Rooms =
        ["", "Time", "Stores", "Telemetry", "Nodes", "Resilience", "Leases", "Waiting", "Locks", "Occurrences", "DependencyInjection"];

    private static readonly SourceTree Sources = SourceTree.Of("Coordination");

    [Fact]
    public void A_room_knows_only_rooms_above_it() => NoneOf(
        from arrow in Sources.Arrows
        where Array.IndexOf(Rooms, arrow.Room) > Array.IndexOf(Rooms, arrow.From.Room)
        select arrow.ToString());

    [Fact]
    public void Every_folder_is_a_room_and_every_namespace_is_its_folder()
    {
        Assert.Equal(Rooms.Order(), Sources.Files.Select(file => file.Room).Distinct().Order());
        NoneOf(Sources.Files.Where(file => file.Namespace != file.FolderNamespace && (file.Namespace, file.Room) != ("Microsoft.Extensions.DependencyInjection", "DependencyInjection")).Select(file => file.Path));
    }

    [Fact]
    public void Every_room_has_a_room_of_tests() => Assert.Empty(
        from room in Rooms
        let tests = $"tests/Coordination.Tests/{room}/"
        where room.Length > 0 && !Tree.Sources.Any(path => path.StartsWith(tests, StringComparison.Ordinal) && path.EndsWith("Tests.cs", StringComparison.Ordinal))
        select room);

    [Fact]
    public void No_two_files_know_each_other_directly_or_through_others() =>
        NoneOf(SourceArrow.Cycles(Sources.Arrows, arrow => arrow.From.Type, arrow => arrow.To).Select(arrow => arrow.ToString()));

    private static void NoneOf(IEnumerable<string> arrows)
    {
        string[] faults = [.. Sources.Faults, .. arrows];
        Assert.True(faults.Length == 0, string.Join('\n', faults));
    }
}
