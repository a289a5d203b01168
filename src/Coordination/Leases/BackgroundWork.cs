namespace Coordination.Leases;

/// <summary>Counts the work that goes on without a caller, so that the node can wait for it before it ends.</summary>
internal sealed class BackgroundWork(TimeProvider time)
{
    private readonly Lock _gate = new();
    private int _running;
    private TaskCompletionSource? _idle;

    public async Task<T> Run<T>(Func<Task<T>> work)
    {
        lock (_gate)
        {
            _running++;
        }

        try
        {
            return await work().ConfigureAwait(false);
        }
        finally
        {
            lock (_gate)
            {
                if (--_running == 0)
                {
                    _idle?.TrySetResult();
                }
            }
        }
    }

    /// <summary>Waits until nothing runs, for at most a limit.</summary>
    public async Task DrainAsync(TimeSpan limit)
    {
        Task idle;
        lock (_gate)
        {
            if (_running == 0)
            {
                return;
            }

            _idle ??= new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            idle = _idle.Task;
        }

        // What is not done by then lapses by itself in the store.
        await idle.WaitAsync(limit, time).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }
}
