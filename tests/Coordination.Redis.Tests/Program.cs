using Coordination.Redis.Tests.Servers;
using Xunit.MicrosoftTestingPlatform;
using Xunit.Runner.InProc.SystemConsole;

namespace Coordination.Redis.Tests;

internal static class Program
{
    public static async Task<int> Main(string[] args) => args switch
    {
        [GarnetProcess.Command] => await GarnetProcess.RunAsync(),
        _ when args.Contains("--server") || args.Contains("--internal-msbuild-node") => await TestPlatformTestFramework.RunAsync(args, SelfRegisteredExtensions.AddSelfRegisteredExtensions),
        _ => await ConsoleRunner.Run(args),
    };
}
