using Coordination.Telemetry;
using Microsoft.Extensions.Hosting;

namespace Coordination.Hosting.Execution;

/// <summary>Ends this process because of a failure, and with it work that nothing else ends; or has its host stop, and the process end in order.</summary>
internal sealed class ProcessEnd(TelemetryDispatcher telemetry, Action<int>? end = null, ProcessExitCode? exitCode = null)
{
    public const int ExitCode = 70;

    private const int ExitCodeOfStop = 1;

    private static readonly TimeSpan FlushLimit = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan ExitLimit = TimeSpan.FromSeconds(3);

    private readonly ProcessExitCode _exitCode = exitCode ?? new ProcessExitCode(static () => Environment.ExitCode, static code => Environment.ExitCode = code);

    /// <summary>Has the host stop, and the process end with an exit code that says that it failed: what starts it again on a failure alone would leave it else.</summary>
    public void StopHost(IHostApplicationLifetime? lifetime)
    {
        _exitCode.SetIfNone(ExitCodeOfStop);
        lifetime?.StopApplication();
    }

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
