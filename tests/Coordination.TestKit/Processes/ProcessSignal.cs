using System.ComponentModel;
using System.Runtime.InteropServices;

namespace Coordination.TestKit.Processes;

/// <summary>The signals that .NET does not send. Not for Windows, which has none of them.</summary>
public static partial class ProcessSignal
{
    private static bool IsBsd => OperatingSystem.IsMacOS() || OperatingSystem.IsFreeBSD();

    /// <summary>Asks the process to end.</summary>
    public static void Terminate(int processId) => Send(processId, 15);

    /// <summary>Stops the process where it is: it keeps its memory and its connections, and does nothing.</summary>
    public static void Stop(int processId) => Send(processId, IsBsd ? 17 : 19);

    /// <summary>Lets a stopped process go on; nothing for one that runs.</summary>
    public static void Continue(int processId) => Send(processId, IsBsd ? 19 : 18);

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
