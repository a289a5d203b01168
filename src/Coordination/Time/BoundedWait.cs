namespace Coordination.Time;

/// <summary>Waiting, but not for ever: the one way in which this package waits for what may hang.</summary>
internal static class BoundedWait
{
    /// <summary>Waits for a call that cannot be recalled: past the limit it goes on by itself, and may still be applied.</summary>
    /// <remarks>
    /// Not <see cref="Task{TResult}.WaitAsync(TimeSpan, TimeProvider, CancellationToken)"/>: that passes the result on by way of the
    /// thread pool. Here whoever completes the call goes on with its caller, which saves a change of threads; and a renewal resumes on the
    /// watchdog's thread also when the pool has no thread to spare. Only the limit itself is a timer, and deadlines do not depend on it.
    /// </remarks>
    /// <param name="call">The call.</param>
    /// <param name="limit">How long to wait; may be infinite.</param>
    /// <param name="time">The clock.</param>
    /// <param name="continueOnCapturedContext">Whether to go on where the caller is.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <exception cref="TimeoutException">The limit was reached.</exception>
    /// <exception cref="OperationCanceledException">The token was cancelled.</exception>
    public static Task<T> WithinAsync<T>(
        this Task<T> call, TimeSpan limit, TimeProvider time, bool continueOnCapturedContext = false, CancellationToken cancellationToken = default) =>
        call.IsCompleted || (limit == Timeout.InfiniteTimeSpan && !cancellationToken.CanBeCanceled)
            ? call
            : new Wait<T>(call, limit, time, continueOnCapturedContext, cancellationToken).Task;

    private sealed class Wait<T> : TaskCompletionSource<T>, IThreadPoolWorkItem
    {
        private readonly Task<T> _call;
        private readonly bool _hasContext;
        private readonly CancellationToken _cancellationToken;
        private readonly ITimer? _timer;
        private readonly CancellationTokenRegistration _registration;

        public Wait(Task<T> call, TimeSpan limit, TimeProvider time, bool continueOnCapturedContext, CancellationToken cancellationToken)
        {
            _call = call;
            _cancellationToken = cancellationToken;
            _hasContext = continueOnCapturedContext && SynchronizationContext.Current is not null;
            _timer = limit == Timeout.InfiniteTimeSpan
                ? null
                : time.CreateTimer(static state => ((Wait<T>)state!).End(), this, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
            _registration = cancellationToken.UnsafeRegister(static state => ((Wait<T>)state!).End(), this);
            call.ConfigureAwait(continueOnCapturedContext).GetAwaiter().UnsafeOnCompleted(PassOn);

            // Last, because a short limit may be over before this object is whole.
            _timer?.Change(limit, Timeout.InfiniteTimeSpan);
        }

        /// <summary>Ends the wait before the call.</summary>
        public void Execute()
        {
            if (_cancellationToken.IsCancellationRequested ? TrySetCanceled(_cancellationToken) : TrySetException(new TimeoutException()))
            {
                // Nothing stays with a token that outlives this wait.
                _timer?.Dispose();
                _registration.Unregister();
            }
        }

        /// <summary>The time is up, or the token was cancelled.</summary>
        private void End()
        {
            if (_hasContext)
            {
                // The caller goes on in its own context.
                Execute();
            }
            else
            {
                // The caller must not go on in here, on the thread of whoever moves the clock or cancels the token.
                ThreadPool.UnsafeQueueUserWorkItem(this, preferLocal: false);
            }
        }

        private void PassOn()
        {
            _timer?.Dispose();
            _registration.Unregister();
            if (!TrySetFromTask(_call))
            {
                // Looking at the exception marks it as seen, for a call that nobody waits for any more.
                _ = _call.Exception;
            }
        }
    }
}
