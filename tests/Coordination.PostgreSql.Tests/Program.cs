using Coordination.PostgreSql.Tests.Guarding;
using Xunit.MicrosoftTestingPlatform;
using Xunit.Runner.InProc.SystemConsole;

namespace Coordination.PostgreSql.Tests;

internal static class Program
{
    public static async Task<int> Main(string[] args) => args switch
    {
        [HolderProcess.Command, var connectionString, var schema, var lockName, var work] => await HolderProcess.RunAsync(connectionString, schema, lockName, work),
        _ when args.Contains("--server") || args.Contains("--internal-msbuild-node") => await TestPlatformTestFramework.RunAsync(args, SelfRegisteredExtensions.AddSelfRegisteredExtensions),
        _ => await ConsoleRunner.Run(args),
    };
}
