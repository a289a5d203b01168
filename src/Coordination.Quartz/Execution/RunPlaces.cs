using Quartz.Extensibility;
using Quartz.Impl;

namespace Coordination.Quartz.Execution;

/// <summary>
/// Quartz's default thread pool, in which a run that waits for a lock takes up no place: it leaves its place for as long, so that fires of other jobs
/// go on however many wait.
/// </summary>
internal sealed class RunPlaces : IThreadPool, IDisposable
{
    private readonly SemaphoreSlim _places;
    private readonly CancellationTokenSource _shutdown = new();
    private readonly CancellationToken _closing;
    private readonly Tasks _tasks = new();

    public RunPlaces(int size) => (PoolSize, _places, _closing) = (size, new SemaphoreSlim(size), _shutdown.Token);

    /// <inheritdoc/>
    public int PoolSize { get; }

    /// <inheritdoc/>
    public ValueTask Initialize(CancellationToken cancellationToken = default) => _tasks.Initialize(cancellationToken);

    /// <inheritdoc/>
    public async ValueTask<int> WaitForAvailableThreads(CancellationToken cancellationToken = default)
    {
        if (!await TryEnterAsync(cancellationToken).ConfigureAwait(false))
        {
            return 0;
        }

        return 1 + _places.Release();
    }

    /// <inheritdoc/>
    public ValueTask<bool> TryRun(Func<ValueTask> action, CancellationToken cancellationToken = default) =>
        TryRunWithState(static action => ((Func<ValueTask>)action!)(), action, cancellationToken);

    /// <inheritdoc/>
    public async ValueTask<bool> TryRunWithState(Func<object?, ValueTask> action, object? state, CancellationToken cancellationToken = default)
    {
        if (!await TryEnterAsync(cancellationToken).ConfigureAwait(false))
        {
            return false;
        }

        var isRunning = await _tasks.TryRunWithState(_ => RunAsync(action, state), null, cancellationToken).ConfigureAwait(false);
        if (!isRunning)
        {
            _places.Release();
        }

        return isRunning;
    }

    /// <inheritdoc/>
    public async ValueTask Shutdown(bool waitForJobsToComplete = true, CancellationToken cancellationToken = default)
    {
        await _shutdown.CancelAsync().ConfigureAwait(false);
        await _tasks.Shutdown(waitForJobsToComplete, cancellationToken).ConfigureAwait(false);
    }

    /// <inheritdoc/>
    public async ValueTask<bool> Drain(CancellationToken cancellationToken = default)
    {
        await _shutdown.CancelAsync().ConfigureAwait(false);
        return await _tasks.Drain(cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Leaves the place of the run that calls, to whichever fire comes next.</summary>
    public void Leave() => _places.Release();

    /// <summary>
    /// Takes a place again for the run that left it, which leaves it once more when it is over. Comes in turn with the fires that wait for one, and
    /// after the shutdown, too. A run that has nothing left to do need not await it.
    /// </summary>
    public Task ReturnAsync() => _places.WaitAsync(CancellationToken.None);

    public void Dispose()
    {
        _shutdown.Dispose();

        // Runs that outlive the scheduler leave their places still, so the places stay.
    }

    private async ValueTask<bool> TryEnterAsync(CancellationToken cancellationToken)
    {
        try
        {
            using var either = CancellationTokenSource.CreateLinkedTokenSource(_closing, cancellationToken);
            await _places.WaitAsync(either.Token).ConfigureAwait(false);
            return true;
        }
        catch (OperationCanceledException)
        {
            // Quartz asks for a false where the pool closes, and for no exception.
            return false;
        }
    }

    private async ValueTask RunAsync(Func<object?, ValueTask> action, object? state)
    {
        try
        {
            await action(state).ConfigureAwait(false);
        }
        finally
        {
            _places.Release();
        }
    }

    /// <summary>Starts and awaits as Quartz's own pool does; how many there may be is counted above.</summary>
    private sealed class Tasks : TaskSchedulingThreadPool
    {
        public Tasks() => MaxConcurrency = int.MaxValue / 2;

        protected override TaskScheduler GetDefaultScheduler() => TaskScheduler.Default;
    }
}
