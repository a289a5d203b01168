using System.Xml.Linq;
using Coordination.Packages.Tests.Building;

namespace Coordination.Packages.Tests;

/// <summary>A file belongs to one project, which is the one in whose folder it lies.</summary>
public sealed class ProjectFileTests
{
    [Fact]
    public void No_project_compiles_a_file_from_outside_its_folder()
    {
        Assert.Contains(Tree.ProjectFiles, path => path.EndsWith("Coordination.Packages.Tests.csproj", StringComparison.Ordinal));
        NoneOf(
            from path in Tree.ProjectFiles
            from item in XDocument.Load(Tree.PathTo(path)).Descendants().Where(element => element.Name.LocalName == "Compile")
            let included = item.Attribute("Include")?.Value
            where included is not null && Leaves(path, included)
            select $"{path}: {included}");
    }

    [Fact]
    public void No_project_lies_in_the_folder_of_another() => NoneOf(
        from outer in Tree.ProjectFiles.Where(IsProject)
        from inner in Tree.ProjectFiles.Where(IsProject)
        where inner != outer && inner.StartsWith(Path.GetDirectoryName(outer)!.Replace('\\', '/') + '/', StringComparison.Ordinal)
        select $"{inner} in {outer}");

    private static void NoneOf(IEnumerable<string> faults) => Assert.True(!faults.Any(), string.Join('\n', faults));

    /// <summary>Whether the files lie elsewhere, or nobody can say where. What is in a file that projects import is compiled into each of them.</summary>
    private static bool Leaves(string path, string included) =>
        !IsProject(path) || included.Split(';').Any(file => file.Contains("..", StringComparison.Ordinal) || file.Contains("$(", StringComparison.Ordinal) || Path.IsPathRooted(file.Trim()));

    private static bool IsProject(string path) => path.EndsWith(".csproj", StringComparison.Ordinal);
}
