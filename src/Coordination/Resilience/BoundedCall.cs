namespace Coordination.Resilience;

/// <summary>Waiting for a call for a limited time.</summary>
internal static class BoundedCall
{
    /// <summary>Waits for a call that cannot be taken back: past the limit it goes on by itself, and may still be applied.</summary>
    /// <remarks>
    /// Not <see cref="Task{TResult}.WaitAsync(TimeSpan, TimeProvider, CancellationToken)"/>: that passes the result on by way of the
    /// thread pool, and a renewal resumes on the watchdog's thread also when the pool has no thread to spare. Here each step is a plain
    /// await; only the limit itself is a timer, and deadlines do not depend on it.
    /// </remarks>
    /// <param name="call">The call.</param>
    /// <param name="limit">How long to wait.</param>
    /// <param name="time">The clock.</param>
    /// <param name="continueOnCapturedContext">Whether to go on where the caller is.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <exception cref="TimeoutException">The limit was reached.</exception>
    /// <exception cref="OperationCanceledException">The token was cancelled.</exception>
    public static async ValueTask<T> WithinAsync<T>(
        this Task<T> call, TimeSpan limit, TimeProvider time, bool continueOnCapturedContext, CancellationToken cancellationToken)
    {
        if (!call.IsCompleted)
        {
            var end = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            // Disposed synchronously: the other way waits for a callback that may be queued on the pool.
            using (time.CreateTimer(static state => ((TaskCompletionSource)state!).TrySetException(new TimeoutException()), end, limit, Timeout.InfiniteTimeSpan))
            using (cancellationToken.UnsafeRegister(static (state, token) => ((TaskCompletionSource)state!).TrySetCanceled(token), end))
            {
                _ = TellAsync(call, end, continueOnCapturedContext);
                await end.Task.ConfigureAwait(continueOnCapturedContext);
            }
        }

        return await call.ConfigureAwait(continueOnCapturedContext);
    }

    /// <summary>Never fails: whether the call did is seen by whoever still waits for it.</summary>
    private static async Task TellAsync(Task call, TaskCompletionSource end, bool continueOnCapturedContext)
    {
        await call.ConfigureAwait(
            ConfigureAwaitOptions.SuppressThrowing | (continueOnCapturedContext ? ConfigureAwaitOptions.ContinueOnCapturedContext : ConfigureAwaitOptions.None));
        end.TrySetResult();

        // Looking at the exception marks it as seen, for a call that nobody waits for any more.
        _ = call.Exception;
    }
}
