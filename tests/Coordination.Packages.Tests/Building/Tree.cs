using System.Reflection;
using System.Runtime.CompilerServices;

namespace Coordination.Packages.Tests.Building;

/// <summary>The sources, and how they were built with the tests.</summary>
internal static class Tree
{
    private static readonly string Root = Find();

    /// <summary>The names of what is shipped: of a package, its project and its assembly.</summary>
    public static IReadOnlyList<string> Packages { get; } =
        [.. Directory.EnumerateFiles(PathTo("src"), "*.csproj", SearchOption.AllDirectories).Select(path => Path.GetFileNameWithoutExtension(path)).Order()];

    /// <summary>All that says how something is built, by its path from the root.</summary>
    public static IReadOnlyList<string> ProjectFiles { get; } = [.. Files(".csproj", ".proj", ".props", ".targets")];

    /// <summary>All sources, by their path from the root.</summary>
    public static IReadOnlyList<string> Sources { get; } = [.. Files(".cs")];

    /// <summary>All that somebody writes and reads, by its path from the root.</summary>
    public static IReadOnlyList<string> Texts { get; } = [.. Files(".cs", ".md", ".lua", ".c", ".pml", ".yml", ".csproj", ".proj", ".props", ".targets")];

    public static string Configuration => Metadata(nameof(Configuration));

    /// <summary>Where the packages that it was built with are unpacked.</summary>
    public static string PackageFolder => Metadata(nameof(PackageFolder));

    public static string PathTo(string relative) => Path.Combine(Root, relative);

    private static IEnumerable<string> Files(params string[] extensions) =>
        from path in Directory.EnumerateFiles(Root, "*", SearchOption.AllDirectories)
        where extensions.Contains(Path.GetExtension(path))
        let relative = Path.GetRelativePath(Root, path).Replace('\\', '/')
        where !relative.Split('/').Any(folder => folder is "bin" or "obj" or "artifacts")
        orderby relative
        select relative;

    private static string Metadata(string key) =>
        typeof(Tree).Assembly.GetCustomAttributes<AssemblyMetadataAttribute>().Single(metadata => metadata.Key == key).Value!;

    private static string Find([CallerFilePath] string here = "") => Path.GetFullPath(Path.Combine(Path.GetDirectoryName(here)!, "../../.."));
}
