namespace Coordination.Hosting.Stores;

/// <summary>Waits for the store to reply to a question, and no longer than it is worth.</summary>
internal static class StoreTimeLimit
{
    public static readonly TimeSpan Default = TimeSpan.FromSeconds(2);

    /// <summary>Who probes a process mostly waits for a second.</summary>
    public static readonly TimeSpan OfHealthCheck = TimeSpan.FromMilliseconds(500);

    /// <summary>From what is no limit that a reply could keep, to the longest time that a timer takes.</summary>
    public static readonly DurationRange Range = DurationRange.Between(TimeSpan.FromMilliseconds(1), TimeSpan.FromDays(49), "null for the default");

    /// <exception cref="LockStoreException">The store gave no reply in time, or said that it cannot.</exception>
    public static async Task ApplyAsync(TimeSpan limit, Func<CancellationToken, Task> ask, TimeProvider time, CancellationToken cancellationToken)
    {
        using var timer = new CancellationTokenSource(limit, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, timer.Token);
        try
        {
            // A store may be slow to end when its token is cancelled, or not end at all. On the pool: it may capture the context that it finds, which may
            // be one that waits for this very call.
            await Task.Run(() => ask(either.Token), CancellationToken.None).WaitAsync(either.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            // With the caller's token, and not with one that links it.
            throw new OperationCanceledException(cancellationToken);
        }
        catch (OperationCanceledException) when (timer.IsCancellationRequested && !cancellationToken.IsCancellationRequested)
        {
            throw new LockStoreException($"The store gave no reply within {limit.TotalSeconds:0.###} s.", isTransient: true);
        }
    }
}
