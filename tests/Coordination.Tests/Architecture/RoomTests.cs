using System.Runtime.CompilerServices;
using System.Text.RegularExpressions;

namespace Coordination.Tests.Architecture;

/// <summary>The rooms of the core stand in an order, and each knows only those above it. Read from the sources, so that a failure names the file and the arrow.</summary>
public sealed partial class RoomTests
{
    private static readonly string[] Rooms =
        ["", "Time", "Stores", "Telemetry", "Nodes", "Resilience", "Leases", "Waiting", "Locks", "Occurrences", "DependencyInjection"];

    private static readonly List<SourceFile> Files = [.. Read()];

    [Fact]
    public void A_room_knows_only_rooms_above_it() => Assert.Empty(
        from file in Files
        from used in Files
        where Array.IndexOf(Rooms, used.Room) > Array.IndexOf(Rooms, file.Room) && (file.Uses(used) || file.Imports(used.Room))
        select $"{file.Path} -> {used.Path}");

    [Fact]
    public void Every_folder_is_a_room_and_every_namespace_is_its_folder()
    {
        Assert.Equal(Rooms.Order(), Files.Select(file => file.Room).Distinct().Order());
        Assert.Empty(Files.Where(file => file.Namespace != file.FolderNamespace && file.Namespace != "Microsoft.Extensions.DependencyInjection").Select(file => file.Path));
    }

    [Fact]
    public void No_two_files_know_each_other_directly_or_through_others() => Assert.Empty(
        from file in Files
        let reached = Reach(file)
        where reached.Contains(file)
        select $"{file.Path} -> {string.Join(", ", reached.Where(other => other != file && Reach(other).Contains(file)).Select(other => other.Path))}");

    private static HashSet<SourceFile> Reach(SourceFile from)
    {
        var (reached, next) = (new HashSet<SourceFile>(), new Stack<SourceFile>([from]));
        while (next.TryPop(out var file))
        {
            foreach (var used in Files.Where(other => other != file && file.Uses(other) && reached.Add(other)))
            {
                next.Push(used);
            }
        }

        return reached;
    }

    private static IEnumerable<SourceFile> Read([CallerFilePath] string here = "")
    {
        var root = Path.GetFullPath(Path.Combine(Path.GetDirectoryName(here)!, "../../../src/Coordination"));
        return from path in Directory.EnumerateFiles(root, "*.cs", SearchOption.AllDirectories)
               let relative = Path.GetRelativePath(root, path).Replace('\\', '/')
               where !relative.StartsWith("obj/", StringComparison.Ordinal) && !relative.StartsWith("bin/", StringComparison.Ordinal)
               select new SourceFile(relative, CommentsAndTexts().Replace(File.ReadAllText(path), ""));
    }

    [GeneratedRegex(@"//.*|""(?:[^""\\\n]|\\.)*""")]
    private static partial Regex CommentsAndTexts();

    [GeneratedRegex(@"^(?:public|internal)[\w ]*? (?:class|record struct|record|struct|enum|interface) (\w+)", RegexOptions.Multiline)]
    private static partial Regex Declarations();

    private sealed class SourceFile(string path, string text)
    {
        private readonly HashSet<string> _words = [.. Regex.Matches(text, @"\w+").Select(match => match.Value)];
        private readonly List<string> _declared = [.. Declarations().Matches(text).Select(match => match.Groups[1].Value)];

        public string Path => path;

        /// <summary>The first folder; none for the contract at the root.</summary>
        public string Room { get; } = path.Contains('/', StringComparison.Ordinal) ? path[..path.IndexOf('/', StringComparison.Ordinal)] : "";

        public string Namespace { get; } = Regex.Match(text, @"^namespace ([\w.]+);", RegexOptions.Multiline).Groups[1].Value;

        public string FolderNamespace { get; } = string.Join('.', path.Split('/')[..^1].Prepend("Coordination"));

        public bool Uses(SourceFile other) => other._declared.Any(type => _words.Contains(type) && !_declared.Contains(type));

        public bool Imports(string room) => Regex.IsMatch(text, $@"^using (static )?Coordination\.{room}\b", RegexOptions.Multiline);
    }
}
