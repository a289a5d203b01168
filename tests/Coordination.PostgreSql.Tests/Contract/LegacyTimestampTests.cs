using System.Diagnostics;
using System.Text.Json.Nodes;

namespace Coordination.PostgreSql.Tests.Contract;

/// <summary>Switches of Npgsql's hold for a whole process, and applications set them that keep moments as they did years ago. So what the contract says of the ends of leases is tried again in a process of its own.</summary>
[Needs(Need.LongTier, Need.PostgreSql)]
public sealed class LegacyTimestampTests : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("coordination-legacy-");

    [Fact]
    [Promise("G1", "G2", "G3")]
    public async Task Moments_are_the_servers_whatever_Npgsql_makes_of_them_elsewhere()
    {
        var tests = typeof(LegacyTimestampTests).Assembly.Location;
        var configuration = JsonNode.Parse(await File.ReadAllTextAsync(Path.ChangeExtension(tests, ".runtimeconfig.json"), TestContext.Current.CancellationToken))!;
        var properties = configuration["runtimeOptions"]!["configProperties"] ??= new JsonObject();
        properties["Npgsql.EnableLegacyTimestampBehavior"] = true;
        properties["Npgsql.DisableDateTimeInfinityConversions"] = true;
        var path = Path.Combine(_folder.FullName, "runtimeconfig.json");
        await File.WriteAllTextAsync(path, configuration.ToJsonString(), TestContext.Current.CancellationToken);

        // Behind the time of the server's sessions by some hours.
        var start = new ProcessStartInfo("dotnet", ["exec", "--runtimeconfig", path, tests, "-class", typeof(PostgreSqlStoreContract).FullName!, "-method", "*token*", "-method", "*lapse*"]) { RedirectStandardOutput = true, Environment = { ["TZ"] = "America/New_York" } };
        using var process = Process.Start(start)!;
        try
        {
            var said = await process.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken).WaitAsync(TimeSpan.FromMinutes(3), TestContext.Current.CancellationToken);
            await process.WaitForExitAsync(TestContext.Current.CancellationToken);
            Assert.True(process.ExitCode == 0, said);
        }
        finally
        {
            process.Kill(entireProcessTree: true);
        }
    }

    public void Dispose() => _folder.Delete(recursive: true);
}
