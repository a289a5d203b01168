namespace Coordination.Hosting.Execution;

/// <summary>The exit code that the process will end with, where its program returns none.</summary>
internal sealed class ProcessExitCode(Func<int> get, Action<int> set)
{
    /// <summary>Sets it, unless the application has set one already.</summary>
    public void SetIfNone(int code)
    {
        if (get() == 0)
        {
            set(code);
        }
    }
}
