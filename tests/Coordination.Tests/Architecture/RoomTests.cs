namespace Coordination.Tests.Architecture;

/// <summary>The rooms of the core stand in an order, and each knows only those above it. A failure names the file, the line and the arrow.</summary>
public sealed class RoomTests
{
    private static readonly string[] Rooms =
        ["", "Time", "Stores", "Telemetry", "Nodes", "Resilience", "Leases", "Waiting", "Locks", "Occurrences", "DependencyInjection"];

    private static readonly SourceTree Sources = new();

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
    public void No_two_files_know_each_other_directly_or_through_others()
    {
        // Documentation may lead to and fro.
        var arrows = Sources.Arrows.Where(arrow => !arrow.IsComment).ToList();
        var known = arrows.ToLookup(arrow => arrow.From.Type);
        NoneOf(
            from arrow in arrows
            where Reach(arrow.To).Contains(arrow.From.Type)
            select arrow.ToString());

        HashSet<string> Reach(string from)
        {
            var (reached, next) = (new HashSet<string> { from }, new Stack<string>([from]));
            while (next.TryPop(out var file))
            {
                foreach (var arrow in known[file].Where(arrow => reached.Add(arrow.To)))
                {
                    next.Push(arrow.To);
                }
            }

            return reached;
        }
    }

    private static void NoneOf(IEnumerable<string> arrows)
    {
        string[] faults = [.. Sources.Faults, .. arrows];
        Assert.True(faults.Length == 0, string.Join('\n', faults));
    }
}
