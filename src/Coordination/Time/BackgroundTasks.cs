namespace Coordination.Time;

/// <summary>Counts the tasks that go on without a caller, so that the node can wait for them before it ends.</summary>
internal sealed class BackgroundTasks(TimeProvider time)
{
    private readonly Lock _gate = new();
    private int _running;
    private volatile bool _isEnding;
    private TaskCompletionSource<bool>? _idle;

    /// <summary>Whether the node ends, so that nothing goes on for ever.</summary>
    public bool IsEnding => _isEnding;

    /// <summary>The node ends.</summary>
    public void End() => _isEnding = true;

    /// <summary>Begins to count a task, until what is returned is disposed.</summary>
    public Running Begin()
    {
        lock (_gate)
        {
            _running++;
        }

        return new Running(this);
    }

    /// <summary>Ends, and waits until nothing runs, for at most a limit.</summary>
    public async Task DrainAsync(TimeSpan limit)
    {
        End();
        Task<bool> idle;
        lock (_gate)
        {
            if (_running == 0)
            {
                return;
            }

            _idle ??= new TaskCompletionSource<bool>(TaskCreationOptions.RunContinuationsAsynchronously);
            idle = _idle.Task;
        }

        // What is not done by then lapses by itself in the store.
        await ((Task)idle.WithinAsync(limit, time)).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }

    private void EndOne()
    {
        lock (_gate)
        {
            if (--_running == 0)
            {
                _idle?.TrySetResult(true);
            }
        }
    }

    /// <summary>A task that is counted. To be disposed once.</summary>
    public readonly struct Running(BackgroundTasks tasks) : IDisposable
    {
        public void Dispose() => tasks.EndOne();
    }
}
