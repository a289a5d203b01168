using System.ComponentModel;
using System.Runtime.InteropServices;

namespace SampleKit.Processes;

/// <summary>The signals that .NET does not send. Not for Windows, which has none of them.</summary>
public static partial class ProcessSignal
{
    private const int NoSuchProcess = 3;

    /// <summary>How long a process may take to stop. One that has not by then is left to it.</summary>
    private static readonly TimeSpan StopLimit = TimeSpan.FromSeconds(5);

    public static bool IsSupported => !OperatingSystem.IsWindows();

    public static void Quit(int processId) => Send(processId, 3);

    public static void Terminate(int processId) => Send(processId, 15);

    /// <summary>
    /// Stops the process where it is: it keeps its memory and its connections, and does nothing. Returns when all of its threads have stopped. One of
    /// them takes the signal and stops the others, which on a busy machine go on until it gets the processor.
    /// </summary>
    public static void Stop(int processId)
    {
        Send(processId, IsBsd ? 17 : 19);
        SpinWait.SpinUntil(() => HasStopped(processId), StopLimit);
    }

    public static void Continue(int processId) => Send(processId, IsBsd ? 19 : 18);

    private static bool IsBsd => OperatingSystem.IsMacOS() || OperatingSystem.IsFreeBSD();

    private static bool HasStopped(int processId)
    {
        // Where there is no such folder, nobody can say, and the signal has to do.
        var threads = $"/proc/{processId}/task";
        return !Directory.Exists(threads) || Directory.GetDirectories(threads).All(HasStopped);
    }

    private static bool HasStopped(string thread)
    {
        try
        {
            // After the name, which stands in brackets: T for stopped, Z and X for ended.
            var stat = File.ReadAllText(Path.Combine(thread, "stat"));
            return stat[stat.LastIndexOf(')') + 2] is 'T' or 'Z' or 'X';
        }
        catch (IOException)
        {
            // It has ended meanwhile.
            return true;
        }
    }

    private static void Send(int processId, int signal)
    {
        // One that has just ended has no need of it.
        if (Kill(processId, signal) != 0 && Marshal.GetLastPInvokeError() != NoSuchProcess)
        {
            throw new Win32Exception(Marshal.GetLastPInvokeError());
        }
    }

    [LibraryImport("libc", EntryPoint = "kill", SetLastError = true)]
    private static partial int Kill(int processId, int signal);
}
