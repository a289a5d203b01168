namespace Coordination.Redis.Connections;

/// <summary>Begins what lives longer than the call that begins it.</summary>
internal static class Detached
{
    /// <summary>
    /// Runs on the pool with nothing of the caller's ambient: no activity, no log scope, no <see cref="AsyncLocal{T}"/>. What is begun there, such
    /// as the threads and timers of a connection, would keep it and show it for as long as the process lives.
    /// </summary>
    public static Task<T> RunAsync<T>(Func<Task<T>> begin)
    {
        if (ExecutionContext.IsFlowSuppressed())
        {
            return Task.Run(begin);
        }

        using (ExecutionContext.SuppressFlow())
        {
            return Task.Run(begin);
        }
    }
}
