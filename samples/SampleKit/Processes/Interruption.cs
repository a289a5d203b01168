using System.Runtime.InteropServices;

namespace SampleKit.Processes;

/// <summary>Hears that the run is to end, by Ctrl+C or by whoever manages the process, and leaves it the time to end first what it has started.</summary>
public sealed class Interruption : IDisposable
{
    private readonly CancellationTokenSource _heard = new();
    private readonly PosixSignalRegistration[] _signals;

    public Interruption() => _signals =
    [
        .. ((PosixSignal[])[PosixSignal.SIGINT, PosixSignal.SIGTERM, PosixSignal.SIGHUP]).Select(signal => PosixSignalRegistration.Create(signal, Hear)),
    ];

    /// <summary>Is cancelled when one of the signals has come.</summary>
    public CancellationToken Token => _heard.Token;

    /// <summary>Whether one has come. What an interrupted run meets on its way out is no finding: Ctrl+C reaches its servers and its children as well.</summary>
    public bool WasHeard => _heard.IsCancellationRequested;

    public void Dispose()
    {
        foreach (var signal in _signals)
        {
            signal.Dispose();
        }

        _heard.Dispose();
    }

    private void Hear(PosixSignalContext signal)
    {
        // The process goes on, to its own end.
        signal.Cancel = true;
        _heard.Cancel();
    }
}
