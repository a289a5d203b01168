namespace Coordination.Time;

/// <summary>
/// An auto-reset event to await: a signal that comes while nobody waits is kept for the next one who does. It may be set for now or
/// for later.
/// </summary>
internal sealed class Signal(TimeProvider time)
{
    private readonly Lock _gate = new();
    private TaskCompletionSource<bool> _changed = Create();

    /// <summary>When the signal is set: MinValue when it is, MaxValue when nothing says that it will be.</summary>
    private TimeSpan _dueAt = TimeSpan.MaxValue;

    public void Set() => Set(TimeSpan.MinValue);

    /// <summary>Sets the signal after some time, unless it is set sooner. The last one of these counts.</summary>
    public void SetIn(TimeSpan delay) => Set(time.Uptime + delay);

    /// <summary>Forgets a signal that was set before this moment.</summary>
    public void Reset()
    {
        lock (_gate)
        {
            _dueAt = TimeSpan.MaxValue;
        }
    }

    /// <summary>Waits for the signal, for at most a limit. Ends early and without an exception when the token is cancelled.</summary>
    public async Task WaitAsync(TimeSpan limit, CancellationToken cancellationToken)
    {
        var until = time.Uptime + limit;
        while (!cancellationToken.IsCancellationRequested)
        {
            Task<bool> changed;
            TimeSpan remaining;
            lock (_gate)
            {
                // What came before has been dealt with by now; what comes from here on ends the wait below.
                if (_changed.Task.IsCompleted)
                {
                    _changed = Create();
                }

                changed = _changed.Task;
                remaining = _dueAt == TimeSpan.MinValue ? TimeSpan.Zero : (_dueAt < until ? _dueAt : until) - time.Uptime;
            }

            if (remaining <= TimeSpan.Zero)
            {
                break;
            }

            await ((Task)changed.WithinAsync(remaining, time, continueOnCapturedContext: false, cancellationToken)).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }

        Reset();
    }

    private void Set(TimeSpan dueAt)
    {
        lock (_gate)
        {
            if (_dueAt != TimeSpan.MinValue)
            {
                _dueAt = dueAt;
                _changed.TrySetResult(true);
            }
        }
    }

    private static TaskCompletionSource<bool> Create() => new(TaskCreationOptions.RunContinuationsAsynchronously);
}
