namespace Coordination.Waiting;

/// <summary>An auto-reset event to await: a signal that comes while nobody waits is kept for the next one who does.</summary>
internal sealed class Signal(TimeProvider time)
{
    private readonly Lock _gate = new();
    private TaskCompletionSource _next = Create();

    public void Set()
    {
        lock (_gate)
        {
            _next.TrySetResult();
        }
    }

    /// <summary>Forgets a signal that was set before this moment.</summary>
    public void Reset()
    {
        lock (_gate)
        {
            if (_next.Task.IsCompleted)
            {
                _next = Create();
            }
        }
    }

    /// <summary>Waits for the signal, for at most a limit. Ends early and without an exception when the token is cancelled.</summary>
    public async Task WaitAsync(TimeSpan limit, CancellationToken cancellationToken)
    {
        Task next;
        lock (_gate)
        {
            next = _next.Task;
        }

        await next.WaitAsync(limit, time, cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        Reset();
    }

    private static TaskCompletionSource Create() => new(TaskCreationOptions.RunContinuationsAsynchronously);
}
