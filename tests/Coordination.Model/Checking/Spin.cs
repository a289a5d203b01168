using System.Diagnostics;
using System.Globalization;
using System.Text.RegularExpressions;

namespace Coordination.Model.Checking;

/// <summary>Explores every state of a model: `spin` makes a program of it, a C compiler builds that, and it is run to its end.</summary>
internal static partial class Spin
{
    /// <summary>More steps than any run has before it comes back to states that are known.</summary>
    private const int AllSteps = 1_000_000;

    private static readonly TimeSpan TimeLimit = TimeSpan.FromMinutes(8);

    /// <summary>Looks for an assertion that does not hold, over all states.</summary>
    public static Task<SearchResult> FindViolationAsync(string model, params string[] switches) =>
        SearchAsync(model, switches, ["-DSAFETY"], [], AllSteps);

    /// <summary>Looks for an assertion that does not hold where there should be one: in short runs first, and over all states if there is none.</summary>
    /// <remarks>Depth first, a search without such a bound is a hundred thousand steps deep before it is back at what goes wrong within two hundred.</remarks>
    public static Task<SearchResult> FindExpectedViolationAsync(string model, params string[] switches) =>
        SearchAsync(model, switches, ["-DSAFETY"], [], 50, 200, AllSteps);

    /// <summary>Looks for a run in which a waiter waits for ever although every process that can go on does; and for violated assertions.</summary>
    public static Task<SearchResult> FindStarvationAsync(string model, params string[] switches) =>
        SearchAsync(model, [.. switches, "SERVED"], ["-DNFAIR=3"], ["-a", "-f"], AllSteps);

    private static async Task<SearchResult> SearchAsync(string model, string[] switches, string[] build, string[] search, params int[] steps)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        limit.CancelAfter(TimeLimit);
        var folder = Directory.CreateTempSubdirectory("coordination-model-");
        try
        {
            var path = Path.Combine(AppContext.BaseDirectory, "Models", model + ".pml");
            await RunAsync(folder.FullName, "spin", [.. switches.Select(name => "-D" + name), "-a", path], limit.Token);
            // Most searches are over sooner than a compiler that optimizes.
            await RunAsync(folder.FullName, "cc", ["-O0", "-w", "-DMEMLIM=4096", .. build, "-o", "pan", "pan.c"], limit.Token);
            var output = "";
            foreach (var most in steps)
            {
                output = await RunAsync(folder.FullName, Path.Combine(folder.FullName, "pan"), [$"-m{most}", "-n", .. search], limit.Token);
                if (Errors().Match(output).Groups[1].Value != "0")
                {
                    break;
                }
            }

            return Read(output);
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    private static SearchResult Read(string output)
    {
        var errors = Errors().Match(output);
        Assert.True(errors.Success, output);

        // Nothing was left out for want of memory, or taken for another by its hash alone.
        Assert.DoesNotContain("out of memory", output, StringComparison.OrdinalIgnoreCase);
        Assert.DoesNotContain("hash compact", output, StringComparison.OrdinalIgnoreCase);
        Assert.DoesNotContain("Bit statespace", output, StringComparison.OrdinalIgnoreCase);
        Assert.DoesNotContain("aborting", output, StringComparison.OrdinalIgnoreCase);
        var count = int.Parse(errors.Groups[1].Value, CultureInfo.InvariantCulture);
        if (count == 0)
        {
            // Nor was a run cut off. A counterexample is one whatever was cut off beside it.
            Assert.DoesNotContain("max search depth too small", output, StringComparison.Ordinal);
            Assert.Contains("Full statespace search", output, StringComparison.Ordinal);
            Assert.DoesNotContain("Search not completed", output, StringComparison.OrdinalIgnoreCase);
        }

        return new SearchResult(count, double.Parse(States().Match(output).Groups[1].Value, CultureInfo.InvariantCulture), output);
    }

    /// <summary>Behind all other processes: it only computes, and suites that run meanwhile measure time.</summary>
    private static async Task<string> RunAsync(string folder, string program, string[] arguments, CancellationToken cancellationToken)
    {
        using var process = Process.Start(new ProcessStartInfo("nice", [program, .. arguments]) { WorkingDirectory = folder, RedirectStandardOutput = true, RedirectStandardError = true })!;
        try
        {
            var error = process.StandardError.ReadToEndAsync(cancellationToken);
            var output = await process.StandardOutput.ReadToEndAsync(cancellationToken) + await error;
            await process.WaitForExitAsync(cancellationToken);
            Assert.True(process.ExitCode == 0, $"{program} ended with {process.ExitCode}:\n{output}");
            return output;
        }
        finally
        {
            if (!process.HasExited)
            {
                process.Kill(entireProcessTree: true);
            }
        }
    }

    [GeneratedRegex(@"errors: (\d+)")]
    private static partial Regex Errors();

    [GeneratedRegex(@"([\d.e+]+) states, stored")]
    private static partial Regex States();
}
