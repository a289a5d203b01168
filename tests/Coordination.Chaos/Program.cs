using System.Diagnostics;
using System.Runtime.InteropServices;
using Coordination.Chaos.CommandLine;
using Coordination.Chaos.Reports;
using Coordination.Chaos.Scenarios;
using Coordination.Chaos.Workers;
using Coordination.TestKit.CommandLine;
using Xunit.MicrosoftTestingPlatform;
using Xunit.Runner.InProc.SystemConsole;

namespace Coordination.Chaos;

internal static class Program
{
    /// <summary>The first word of a command line for the tests: what follows is as for any xunit program.</summary>
    private const string TestWord = "test";

    public static async Task<int> Main(string[] args) => args switch
    {
        [WorkerProgram.Word, var options] => await WorkerProgram.RunAsync(options),
        [TestWord, .. var words] => await ConsoleRunner.Run(words),
        _ when args.Contains("--server") || args.Contains("--internal-msbuild-node") => await TestPlatformTestFramework.RunAsync(args, SelfRegisteredExtensions.AddSelfRegisteredExtensions),
        _ => await RunAsync(args),
    };

    private static async Task<int> RunAsync(string[] args)
    {
        if (args.Contains("--help"))
        {
            Console.WriteLine(Help.Text);
            return 0;
        }

        try
        {
            return await RunAsync(Arguments.Parse(args));
        }
        catch (UsageException e)
        {
            await Console.Error.WriteLineAsync($"{e.Message} See --help.");
            return 2;
        }
    }

    private static async Task<int> RunAsync(Arguments arguments)
    {
        var needs = arguments.Runs.SelectMany(options => options.Scenario.Needs).Distinct();
        if (needs.Select(Requirement.Of).FirstOrDefault(need => !need.IsMet) is { } missing)
        {
            await Console.Error.WriteLineAsync($"{missing.Lack}. {missing.Remedy}");
            return 2;
        }

        using var stopping = new CancellationTokenSource();
        using var interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, Stop);
        using var terminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, Stop);
        var results = new List<RunResult>();
        var notStarted = 0;
        var begun = Stopwatch.GetTimestamp();
        foreach (var options in arguments.Runs)
        {
            if (stopping.IsCancellationRequested)
            {
                break;
            }

            RunResult result;
            try
            {
                result = await ScenarioRun.RunAsync(options, stopping.Token);
            }
            catch (RunNotStartedException e)
            {
                notStarted++;
                Console.WriteLine(Report.Line(options, e));
                continue;
            }

            results.Add(result);
            Console.WriteLine(Report.Line(result));
            foreach (var violation in result.Verdict.Violations.Take(10))
            {
                Console.WriteLine($"    {violation.Check}: {violation.Text}");
            }

            if (arguments.Out is not null)
            {
                Console.WriteLine($"    {await Report.WriteAsync(result, arguments.Out)}");
            }
        }

        Console.WriteLine(Report.Summary(results, notStarted, Stopwatch.GetElapsedTime(begun)));
        return results.Exists(result => result.Verdict.Violations.Count > 0) ? 1 : notStarted > 0 ? 2 : 0;

        void Stop(PosixSignalContext context)
        {
            context.Cancel = true;
            stopping.Cancel();
        }
    }
}
