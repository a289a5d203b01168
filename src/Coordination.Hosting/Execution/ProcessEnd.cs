using Coordination.Telemetry;

namespace Coordination.Hosting.Execution;

/// <summary>Ends this process, and with it work that nothing else ends.</summary>
internal sealed class ProcessEnd(TelemetryDispatcher telemetry, Action<int>? end = null)
{
    public const int ExitCode = 70;

    private static readonly TimeSpan FlushLimit = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan ExitLimit = TimeSpan.FromSeconds(3);

    /// <summary>Returns only where a test has taken the place of the end.</summary>
    public async Task EndAsync()
    {
        // The line that says why is written by another thread.
        await telemetry.FlushAsync(FlushLimit).ConfigureAwait(false);
        (end ?? Exit)(ExitCode);
    }

    private static void Exit(int exitCode)
    {
        // Handlers of the exit are the application's, and may block as its work does.
        var exit = new Thread(() => Environment.Exit(exitCode)) { IsBackground = true, Name = "Coordination exit" };
        exit.Start();
        exit.Join(ExitLimit);
        Environment.FailFast("Exclusive work goes on although its lock was lost, and the process did not end within 3 s.");
    }
}
