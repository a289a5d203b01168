namespace Coordination.Testing.Contracts.Waiting;

/// <summary>Does things at the same time: all of them are ready on the pool before the first begins.</summary>
internal static class AtOnce
{
    public static async Task<TResult[]> Async<T, TResult>(IEnumerable<T> items, Func<T, Task<TResult>> action, TimeSpan within)
    {
        var go = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var running = items.Select(item => Task.Run(async () =>
        {
            await go.Task;
            return await action(item);
        })).ToArray();
        go.SetResult();
        return await Task.WhenAll(running).WaitAsync(within, TestContext.Current.CancellationToken);
    }

    public static Task Async<T>(IEnumerable<T> items, Func<T, Task> action, TimeSpan within) =>
        Async(
            items,
            async item =>
            {
                await action(item);
                return true;
            },
            within);
}
