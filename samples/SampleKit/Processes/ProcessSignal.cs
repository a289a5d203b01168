using System.ComponentModel;
using System.Runtime.InteropServices;

namespace SampleKit.Processes;

/// <summary>The signals that .NET does not send. Not for Windows, which has none of them.</summary>
public static partial class ProcessSignal
{
    public static bool IsSupported => !OperatingSystem.IsWindows();

    public static void Terminate(int processId) => Send(processId, 15);

    public static void Stop(int processId) => Send(processId, IsBsd ? 17 : 19);

    public static void Continue(int processId) => Send(processId, IsBsd ? 19 : 18);

    private static bool IsBsd => OperatingSystem.IsMacOS() || OperatingSystem.IsFreeBSD();

    private static void Send(int processId, int signal)
    {
        if (Kill(processId, signal) != 0)
        {
            throw new Win32Exception(Marshal.GetLastPInvokeError());
        }
    }

    [LibraryImport("libc", EntryPoint = "kill", SetLastError = true)]
    private static partial int Kill(int processId, int signal);
}
