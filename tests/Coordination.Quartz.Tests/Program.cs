using Coordination.Quartz.Tests.Schedulers;
using Coordination.Testing.EmbeddedRedis;
using Coordination.TestKit.Servers;
using Xunit.MicrosoftTestingPlatform;
using Xunit.Runner.InProc.SystemConsole;

namespace Coordination.Quartz.Tests;

internal static class Program
{
    public static async Task<int> Main(string[] args) => args switch
    {
        [GarnetProcess.Command] => await RunGarnetAsync(),
        [WorkerProcess.Command, .. var words] => await WorkerProcess.RunAsync(words),
        [PersistentWorker.Command, .. var words] => await PersistentWorker.RunAsync(words),
        _ when args.Contains("--server") || args.Contains("--internal-msbuild-node") => await TestPlatformTestFramework.RunAsync(args, SelfRegisteredExtensions.AddSelfRegisteredExtensions),
        _ => await ConsoleRunner.Run(args),
    };

    private static async Task<int> RunGarnetAsync()
    {
        await using var server = await EmbeddedServer.StartAsync();
        return await GarnetProcess.RunAsync(server.ConnectionString);
    }
}
