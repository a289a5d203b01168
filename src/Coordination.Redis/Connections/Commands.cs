namespace Coordination.Redis.Connections;

/// <summary>Waiting for a command that cannot be recalled once it is sent.</summary>
internal static class Commands
{
    /// <summary>
    /// Waits for a command, or until the token is cancelled; the command goes on by itself then, and may still be applied.
    /// </summary>
    /// <remarks>
    /// Not <see cref="Task{TResult}.WaitAsync(CancellationToken)"/>: that passes its result on by way of the thread pool, and a
    /// renewal resumes on the watchdog's thread even when the pool has no thread to spare. Here each step is a plain await.
    /// </remarks>
    /// <param name="command">The command.</param>
    /// <param name="resume">Where to go on when it is done.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    public static Task<T> OrCancelledAsync<T>(this Task<T> command, ConfigureAwaitOptions resume, CancellationToken cancellationToken) =>
        command.IsCompleted || !cancellationToken.CanBeCanceled ? command : FirstOfAsync(command, resume, cancellationToken);

    private static async Task<T> FirstOfAsync<T>(Task<T> command, ConfigureAwaitOptions resume, CancellationToken cancellationToken)
    {
        var first = new TaskCompletionSource<Task<T>>(TaskCreationOptions.RunContinuationsAsynchronously);
        using var registration = cancellationToken.UnsafeRegister(
            static (state, token) => ((TaskCompletionSource<Task<T>>)state!).TrySetCanceled(token), first);
        _ = TellAsync(command, first, resume);
        return await (await first.Task.ConfigureAwait(resume)).ConfigureAwait(resume);
    }

    /// <summary>Never fails: whether the command did is seen by whoever still waits for it.</summary>
    private static async Task TellAsync<T>(Task<T> command, TaskCompletionSource<Task<T>> first, ConfigureAwaitOptions resume)
    {
        await ((Task)command).ConfigureAwait(resume | ConfigureAwaitOptions.SuppressThrowing);
        first.TrySetResult(command);
        // Looking at the exception marks it as seen, for a command that nobody waits for any more.
        _ = command.Exception;
    }
}
