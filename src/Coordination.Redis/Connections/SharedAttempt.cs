namespace Coordination.Redis.Connections;

/// <summary>
/// Something that is done once for all who need it: callers that come while it is under way share it, its success is kept, and
/// after a failure the next caller makes another attempt.
/// </summary>
internal sealed class SharedAttempt<T>(Func<Task<T>> attempt)
{
    private readonly Lock _gate = new();
    private Task<T>? _current;

    /// <summary>The attempt that is under way or succeeded; null when there is none.</summary>
    public Task<T>? Current
    {
        get
        {
            lock (_gate)
            {
                return _current;
            }
        }
    }

    /// <summary>Takes part in the attempt. Cancelling a caller's token ends that caller's wait, and not the attempt.</summary>
    public Task<T> GetAsync(CancellationToken cancellationToken)
    {
        Task<T> current;
        lock (_gate)
        {
            if (_current is null or { IsFaulted: true } or { IsCanceled: true })
            {
                // On the pool, so that nothing of it runs inside the lock or on the caller's context.
                _current = Detached.RunAsync(attempt);
            }

            current = _current;
        }

        return current.IsCompletedSuccessfully ? current : current.OrCancelledAsync(ConfigureAwaitOptions.None, cancellationToken);
    }
}
