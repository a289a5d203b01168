using System.Diagnostics;

namespace SampleKit.Processes;

/// <summary>
/// A little process that lets a paused one go on when this one is gone, however it went: what is stopped cannot notice by itself.
/// </summary>
public sealed class PauseGuard : IDisposable
{
    private readonly Process _shell;

    public PauseGuard(int processId)
    {
        var start = new ProcessStartInfo("/bin/sh") { RedirectStandardInput = true };
        start.ArgumentList.Add("-c");
        start.ArgumentList.Add("""read -r _; kill -CONT "$0" 2>/dev/null""");
        start.ArgumentList.Add(processId.ToString(System.Globalization.CultureInfo.InvariantCulture));
        _shell = Process.Start(start)!;
    }

    /// <summary>Lets the paused process go on.</summary>
    public void Dispose()
    {
        _shell.StandardInput.Close();
        _shell.Dispose();
    }
}
