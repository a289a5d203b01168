using System.Diagnostics;

namespace Coordination.Packages.Tests.Building;

/// <summary>A program that a test runs to its end, behind all other processes: mostly it only computes, and suites that run meanwhile measure time.</summary>
internal static class Command
{
    private static readonly TimeSpan TimeLimit = TimeSpan.FromMinutes(8);

    /// <summary>Runs it. What it said is what the test says when it fails.</summary>
    public static async Task<string> RunAsync(string program, params string[] arguments)
    {
        var (code, output) = await EndAsync(program, arguments);
        Assert.True(code == 0, $"{program} {string.Join(' ', arguments)} ended with {code}:\n{output}");
        return output;
    }

    /// <summary>Runs one that has to fail, and returns what it said.</summary>
    public static async Task<string> FailAsync(string program, params string[] arguments)
    {
        var (code, output) = await EndAsync(program, arguments);
        Assert.True(code != 0, $"{program} {string.Join(' ', arguments)} did not fail:\n{output}");
        return output;
    }

    private static async Task<(int Code, string Output)> EndAsync(string program, string[] arguments)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        limit.CancelAfter(TimeLimit);
        using var process = Process.Start(new ProcessStartInfo(program, arguments) { RedirectStandardOutput = true, RedirectStandardError = true })!;
        process.PriorityClass = ProcessPriorityClass.BelowNormal;
        try
        {
            var error = process.StandardError.ReadToEndAsync(limit.Token);
            var output = await process.StandardOutput.ReadToEndAsync(limit.Token) + await error;
            await process.WaitForExitAsync(limit.Token);
            return (process.ExitCode, output);
        }
        finally
        {
            if (!process.HasExited)
            {
                process.Kill(entireProcessTree: true);
            }
        }
    }
}
