namespace Coordination.Hosting.Stores;

/// <summary>Waits for the store to answer a question, and no longer than it is worth.</summary>
internal static class StoreTimeLimit
{
    public static readonly TimeSpan Default = TimeSpan.FromSeconds(2);

    /// <exception cref="LockStoreException">The store gave no answer in time, or one that says it cannot.</exception>
    public static async Task ApplyAsync(TimeSpan limit, Func<CancellationToken, Task> ask, TimeProvider time, CancellationToken cancellationToken)
    {
        using var timer = new CancellationTokenSource(limit, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, timer.Token);
        try
        {
            // A store may be slow to heed its token, or not heed it at all.
            await ask(either.Token).WaitAsync(either.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (timer.IsCancellationRequested && !cancellationToken.IsCancellationRequested)
        {
            throw new LockStoreException($"The store gave no answer within {limit.TotalSeconds:0.###} s.", isTransient: true);
        }
    }
}
