using System.Collections.Concurrent;

namespace Coordination.Testing.Contracts.Threads;

/// <summary>A synchronization context that leads back to one thread, as the watchdog's does.</summary>
internal sealed class SingleThread : SynchronizationContext
{
    private readonly BlockingCollection<(SendOrPostCallback Callback, object? State)> _posted = [];

    private SingleThread()
    {
    }

    /// <summary>Begins something on this thread and stays on it, without the pool, until it has completed here.</summary>
    /// <param name="begin">What to begin.</param>
    /// <param name="limit">How long to wait for what is posted to this thread.</param>
    /// <returns>What was begun, completed; null where it did not complete on this thread, or not in time.</returns>
    public static Task<T>? Complete<T>(Func<Task<T>> begin, TimeSpan limit)
    {
        var before = Current;
        var here = new SingleThread();
        SetSynchronizationContext(here);
        try
        {
            var task = begin();
            while (!task.IsCompleted)
            {
                if (!here._posted.TryTake(out var item, limit))
                {
                    return null;
                }

                item.Callback(item.State);
            }

            return task;
        }
        finally
        {
            SetSynchronizationContext(before);
        }
    }

    public override void Post(SendOrPostCallback d, object? state) => _posted.Add((d, state));

    public override SynchronizationContext CreateCopy() => this;
}
