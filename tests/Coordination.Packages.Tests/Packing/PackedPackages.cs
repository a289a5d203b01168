using System.IO.Compression;
using System.Text.Json;
using System.Xml.Linq;
using Coordination.Packages.Tests.Building;

namespace Coordination.Packages.Tests.Packing;

/// <summary>All packages, packed once for the tests of a run and with a version that no other run has.</summary>
public sealed class PackedPackages : IAsyncLifetime
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("coordination-packages-");
    private readonly string _version = $"0.0.0-packed.{Guid.NewGuid():n}";

    public async ValueTask InitializeAsync() => await RunAsync("Restore");

    /// <summary>Compiles each package against the packed others.</summary>
    public Task CompileAsync() => RunAsync("Compile");

    /// <summary>What an application installs with the package: what it names, what that names, and so on.</summary>
    public async Task<IReadOnlySet<string>> GetDependenciesAsync(string package)
    {
        var named = await ReadRestoredAsync(package);
        var all = new HashSet<string>();
        var next = new Stack<string>(await ReadPackedAsync(package));
        while (next.TryPop(out var dependency))
        {
            if (all.Add(dependency))
            {
                Array.ForEach(named[dependency], next.Push);
            }
        }

        return all;
    }

    public ValueTask DisposeAsync()
    {
        _folder.Delete(recursive: true);
        return ValueTask.CompletedTask;
    }

    /// <summary>One project at a time: other suites that run meanwhile measure time.</summary>
    private Task<string> RunAsync(string target) => Command.RunAsync(
        "dotnet", "msbuild", Tree.PathTo("tests/Coordination.Packages.Tests/Packing/Packages.proj"), $"-target:{target}",
        "-nologo", "-verbosity:quiet", "-maxCpuCount:1", "-nodeReuse:false",
        $"-property:Packed={_version}", $"-property:Folder={_folder.FullName}", $"-property:PackageFolder={Tree.PackageFolder}", $"-property:Configuration={Tree.Configuration}");

    /// <summary>What the package itself says that it depends on.</summary>
    private async Task<IEnumerable<string>> ReadPackedAsync(string package)
    {
        await using var archive = await ZipFile.OpenReadAsync(Path.Combine(_folder.FullName, "feed", $"{package}.{_version}.nupkg"));
        await using var specification = await archive.GetEntry($"{package}.nuspec")!.OpenAsync();
        var document = await XDocument.LoadAsync(specification, LoadOptions.None, TestContext.Current.CancellationToken);
        return [.. document.Descendants().Where(element => element.Name.LocalName == "dependency").Select(dependency => dependency.Attribute("id")!.Value)];
    }

    /// <summary>What each package that it was restored with says that it depends on.</summary>
    private async Task<Dictionary<string, string[]>> ReadRestoredAsync(string package)
    {
        await using var assets = File.OpenRead(Path.Combine(_folder.FullName, "obj", package, "project.assets.json"));
        using var document = await JsonDocument.ParseAsync(assets);
        return document.RootElement.GetProperty("targets").EnumerateObject().Single().Value.EnumerateObject().ToDictionary(
            restored => restored.Name.Split('/')[0],
            restored => restored.Value.TryGetProperty("dependencies", out var named) ? named.EnumerateObject().Select(dependency => dependency.Name).ToArray() : []);
    }
}
