using System.Diagnostics;
using System.Reflection;

namespace Coordination.TestKit.Processes;

/// <summary>The program that runs, to be started again as a process of its own, which can be killed.</summary>
public static class ThisProgram
{
    /// <summary>How it is started again with other words, of which the first says what it is to be: a worker and not a runner of tests.</summary>
    public static ProcessStartInfo Again(params string[] words)
    {
        var program = Environment.ProcessPath ?? throw new InvalidOperationException("The path of this program is not known.");
        var start = new ProcessStartInfo(program) { RedirectStandardInput = true, RedirectStandardOutput = true };
        if (Path.GetFileNameWithoutExtension(program) == "dotnet")
        {
            start.ArgumentList.Add(Assembly.GetEntryAssembly()!.Location);
        }

        foreach (var word in words)
        {
            start.ArgumentList.Add(word);
        }

        return start;
    }
}
