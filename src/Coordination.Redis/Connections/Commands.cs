namespace Coordination.Redis.Connections;

/// <summary>Waiting for a command that cannot be recalled once it is sent.</summary>
internal static class Commands
{
    /// <summary>
    /// Waits for a command, or until the token is cancelled; the command goes on by itself then, and may still be applied.
    /// </summary>
    /// <remarks>
    /// Not <see cref="Task{TResult}.WaitAsync(CancellationToken)"/>: that passes its result on by way of the thread pool, and a
    /// renewal resumes on the watchdog's thread even when the pool has no thread to spare. Here whoever completes the command goes on with its caller.
    /// </remarks>
    /// <param name="command">The command.</param>
    /// <param name="resume">Where to go on when it is done.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    public static Task<T> OrCancelledAsync<T>(this Task<T> command, ConfigureAwaitOptions resume, CancellationToken cancellationToken) =>
        command.IsCompleted || !cancellationToken.CanBeCanceled ? command : new Wait<T>(command, resume, cancellationToken).Task;

    private sealed class Wait<T> : TaskCompletionSource<T>, IThreadPoolWorkItem
    {
        private readonly Task<T> _command;
        private readonly bool _hasContext;
        private readonly CancellationToken _cancellationToken;
        private readonly CancellationTokenRegistration _registration;

        public Wait(Task<T> command, ConfigureAwaitOptions resume, CancellationToken cancellationToken)
        {
            var onContext = resume.HasFlag(ConfigureAwaitOptions.ContinueOnCapturedContext);
            (_command, _cancellationToken) = (command, cancellationToken);
            _hasContext = onContext && SynchronizationContext.Current is not null;
            _registration = cancellationToken.UnsafeRegister(static wait => ((Wait<T>)wait!).Cancel(), this);
            command.ConfigureAwait(onContext).GetAwaiter().UnsafeOnCompleted(PassOn);
        }

        public void Execute() => TrySetCanceled(_cancellationToken);

        private void Cancel()
        {
            if (_hasContext)
            {
                // The caller goes on in its own context.
                Execute();
            }
            else
            {
                // The caller must not go on in here, on the thread of whoever cancels the token.
                ThreadPool.UnsafeQueueUserWorkItem(this, preferLocal: false);
            }
        }

        private void PassOn()
        {
            _registration.Unregister();
            if (!TrySetFromTask(_command))
            {
                // Looking at the exception marks it as seen, for a command that nobody waits for any more.
                _ = _command.Exception;
            }
        }
    }
}
