using Coordination.Hosting.Telemetry;
using Microsoft.Extensions.DependencyInjection;

namespace Coordination.Hosting.Execution;

/// <summary>
/// Runs work of the user's under a lease, in a scope of its own, until all of it has really returned: the method, the callbacks on its token, what comes after them, and the
/// disposal of its scope. Until then the lease is watched, and nobody releases it.
/// </summary>
internal sealed class LeasedWork(IServiceScopeFactory scopes, OverdueWatch watch, ServiceLog log)
{
    /// <summary>Completes when nobody is to wait for the work any more.</summary>
    public Task Abandoned => watch.Abandoned;

    /// <summary>Completes when all of the work has returned. Throws nothing of what that throws.</summary>
    /// <param name="lease">The lease, which is not released here.</param>
    /// <param name="ending">Tells the work to stop.</param>
    /// <param name="work">The work, and what it is given.</param>
    /// <param name="onLost">Called when the lease is lost while the work runs.</param>
    /// <param name="onOverdue">Called when it goes on too long after that, and each time that is warned of.</param>
    /// <param name="afterwards">What is to be done when the work has returned, while the lease is still watched; it throws nothing. Null for nothing.</param>
    public async Task<WorkResult> RunAsync(
        ILockLease lease, WorkEnding ending, Func<IServiceProvider, CancellationToken, Task> work, Action onLost, Action onOverdue, Func<Task>? afterwards = null)
    {
        // On the pool, so that work which blocks before its first await blocks nobody else.
        var running = Task.Run(() => InScopeAsync(ending, work, afterwards ?? (static () => Task.CompletedTask)), CancellationToken.None);
        try
        {
            await watch.WatchAsync(lease, running, onLost, onOverdue).ConfigureAwait(false);
        }
        finally
        {
            // Whatever happens here, the lease is there until the work has returned, and renewals go on.
            await ((Task)running).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }

        return await running.ConfigureAwait(false);
    }

    private async Task<WorkResult> InScopeAsync(WorkEnding ending, Func<IServiceProvider, CancellationToken, Task> work, Func<Task> afterwards)
    {
        AsyncServiceScope scope;
        try
        {
            scope = scopes.CreateAsyncScope();
        }
        catch (Exception exception)
        {
            // The container is disposed, or it is not the platform's and threw: there was no work.
            await ending.DisposeAsync().ConfigureAwait(false);
            return ending.Judge(exception);
        }

        Exception? scopeFailure = null;
        WorkResult result;
        try
        {
            result = await WorkAsync(scope.ServiceProvider, ending, work).ConfigureAwait(false);
            await afterwards().ConfigureAwait(false);
        }
        finally
        {
            scopeFailure = await DisposeAsync(scope).ConfigureAwait(false);
        }

        return result with { ScopeFailure = scopeFailure };
    }

    private static async Task<WorkResult> WorkAsync(IServiceProvider services, WorkEnding ending, Func<IServiceProvider, CancellationToken, Task> work)
    {
        WorkResult result;
        try
        {
            await work(services, ending.Token).ConfigureAwait(false);
            result = ending.Judge(failure: null);
        }
        catch (Exception exception)
        {
            // Whatever the user's work throws ends it, and is told by who runs it.
            result = ending.Judge(exception);
        }

        // Not on the thread of the work, which may be that of a callback on its token and cannot wait for itself.
        await Task.CompletedTask.ConfigureAwait(ConfigureAwaitOptions.ForceYielding);
        await ending.DisposeAsync().ConfigureAwait(false);
        return result;
    }

    private async Task<Exception?> DisposeAsync(AsyncServiceScope scope)
    {
        try
        {
            await scope.DisposeAsync().ConfigureAwait(false);
            return null;
        }
        catch (Exception exception)
        {
            // What the user's services throw then is said, and keeps no lock.
            log.ScopeFailed(exception);
            return exception;
        }
    }
}
