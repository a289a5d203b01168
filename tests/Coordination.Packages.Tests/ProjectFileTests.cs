using Coordination.Packages.Tests.Building;

namespace Coordination.Packages.Tests;

/// <summary>A file belongs to one project, which is the one in whose folder it lies.</summary>
public sealed class ProjectFileTests
{
    /// <summary>The ways in which a project can bring in what lies elsewhere: the names are those of the files.</summary>
    private static readonly string[] Ways = ["Named", "Matched", "Listed", "Imported", "Added", "Read", "Embedded"];

    [Fact]
    [Needs(Need.LongTier)]
    public async Task A_project_that_compiles_a_file_from_elsewhere_does_not_build()
    {
        var folder = Directory.CreateTempSubdirectory("coordination-sources-");
        try
        {
            foreach (var way in Ways)
            {
                Write($"{way}.cs", $"// {way}");
            }

            Write("parts.items", """<Project><ItemGroup><Compile Include="$(MSBuildThisFileDirectory)Imported.cs" /></ItemGroup></Project>""");
            Write("Own/Inside.cs", "// Inside");
            Write("Own/Own.csproj", $"""
                <Project Sdk="Microsoft.NET.Sdk">
                  <PropertyGroup>
                    <TargetFramework>net10.0</TargetFramework>
                  </PropertyGroup>
                  <Import Project="../parts.items" />
                  <ItemGroup>
                    <Compile Include="../Named.cs;../Match*.cs" />
                    <Part Include="../Listed.cs" />
                    <Compile Include="@(Part)" />
                    <AdditionalFiles Include="../Read.cs" />
                    <EmbeddedResource Include="../Embedded.cs" />
                  </ItemGroup>
                  <Target Name="Add" BeforeTargets="CoreCompile">
                    <ItemGroup>
                      <Compile Include="../Added.cs" />
                    </ItemGroup>
                  </Target>
                  <Import Project="{Tree.PathTo("Directory.Build.targets")}" />
                </Project>
                """);
            var said = await Command.FailAsync("dotnet", "build", Path.Combine(folder.FullName, "Own"), "--nologo", "--verbosity", "quiet", "-maxCpuCount:1", "-nodeReuse:false");

            Assert.All(Ways, way => Assert.Contains($"{Path.DirectorySeparatorChar}{way}.cs", said, StringComparison.Ordinal));
            Assert.DoesNotContain("Inside.cs", said, StringComparison.Ordinal);
        }
        finally
        {
            folder.Delete(recursive: true);
        }

        void Write(string path, string text)
        {
            path = Path.Combine(folder.FullName, path);
            Directory.CreateDirectory(Path.GetDirectoryName(path)!);
            File.WriteAllText(path, text);
        }
    }

    [Fact]
    public void Every_project_has_that_rule()
    {
        Assert.Contains("src/Directory.Build.targets", Tree.ProjectFiles);
        NoneOf(
            from path in Tree.ProjectFiles
            let text = File.ReadAllText(Tree.PathTo(path))
            where text.Contains("ImportDirectoryBuildTargets", StringComparison.Ordinal)
                || (path.EndsWith("/Directory.Build.targets", StringComparison.Ordinal) && !text.Contains("GetPathOfFileAbove('Directory.Build.targets'", StringComparison.Ordinal))
            select path);
    }

    [Fact]
    public void No_project_lies_in_the_folder_of_another() => NoneOf(
        from outer in Tree.ProjectFiles.Where(IsProject)
        from inner in Tree.ProjectFiles.Where(IsProject)
        where inner != outer && inner.StartsWith(Path.GetDirectoryName(outer)!.Replace('\\', '/') + '/', StringComparison.Ordinal)
        select $"{inner} in {outer}");

    [Fact]
    public void No_source_is_a_link_to_another() => NoneOf(
        from folder in (string[])["src", "samples", "tests"]
        from entry in new DirectoryInfo(Tree.PathTo(folder)).EnumerateFileSystemInfos("*", SearchOption.AllDirectories)
        where entry.LinkTarget is not null
        select $"{entry.FullName} -> {entry.LinkTarget}");

    private static void NoneOf(IEnumerable<string> faults) => Assert.True(!faults.Any(), string.Join('\n', faults));

    private static bool IsProject(string path) => path.EndsWith(".csproj", StringComparison.Ordinal);
}
