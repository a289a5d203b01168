using Coordination.Packages.Tests.Building;
using Coordination.TestKit.Servers;

namespace Coordination.Packages.Tests;

/// <summary>A worker compiled ahead of time. What trimming or native compilation warn about are errors.</summary>
[Needs(Need.LongTier, Need.CCompiler, Need.RedisServer)]
public sealed class NativeWorkerTests : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("coordination-native-");

    [Fact]
    public async Task A_worker_compiled_ahead_of_time_leads_and_runs_a_job()
    {
        await Command.RunAsync(
            "dotnet", "publish", Tree.PathTo("samples/AotWorker"), "--configuration", "Release", "--use-current-runtime", "-property:PublishAot=true",
            // The tree's build has analyzed this code; what the native compiler says of it is new.
            "-property:RunAnalyzers=false",
            // Nobody debugs it, and it need not be fast.
            "-property:DebugType=none", "-property:Optimize=false", "-property:NativeDebugSymbols=false",
            "--artifacts-path", Path.Combine(_folder.FullName, "artifacts"), "--output", Path.Combine(_folder.FullName, "bin"),
            "--nologo", "--verbosity", "quiet", "-maxCpuCount:1", "-nodeReuse:false");
        await using var redis = await RedisProcess.StartAsync();

        var said = await Command.RunAsync(Path.Combine(_folder.FullName, "bin", "AotWorker"), redis.ConnectionString);

        Assert.Contains("Led in term", said, StringComparison.Ordinal);
    }

    public void Dispose() => _folder.Delete(recursive: true);
}
