namespace Coordination.Time;

/// <summary>Counts the work that goes on without a caller, so that the node can wait for it before it ends.</summary>
internal sealed class BackgroundTasks(TimeProvider time)
{
    private readonly Lock _gate = new();
    private int _running;
    private TaskCompletionSource? _idle;

    /// <summary>Begins to count a piece of work, until what is returned is disposed.</summary>
    public Piece Begin()
    {
        lock (_gate)
        {
            _running++;
        }

        return new Piece(this);
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

    private void End()
    {
        lock (_gate)
        {
            if (--_running == 0)
            {
                _idle?.TrySetResult();
            }
        }
    }

    /// <summary>A piece of work. To be disposed once.</summary>
    public readonly struct Piece(BackgroundTasks work) : IDisposable
    {
        public void Dispose() => work.End();
    }
}
