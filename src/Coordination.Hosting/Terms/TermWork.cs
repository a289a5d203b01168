using Coordination.Hosting.Services;
using Coordination.Hosting.Telemetry;
using Microsoft.Extensions.DependencyInjection;

namespace Coordination.Hosting.Terms;

/// <summary>Does the work of a term, in a scope of its own: tells it when to stop, and judges how it ended.</summary>
internal sealed class TermWork(ExclusiveService service, ExclusiveBackgroundService work, IServiceScopeFactory scopes, TimeProvider time, ServiceLog log)
{
    /// <summary>Completes when all of the work has returned: the method, the callbacks on its token, and the disposal of its scope.</summary>
    public async Task<TermResult> RunAsync(ILockLease lease, TermEnding ending)
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
            return Judge(ending, exception);
        }

        try
        {
            return await WorkAsync(new ExclusiveTerm(lease, scope.ServiceProvider, ending), ending).ConfigureAwait(false);
        }
        finally
        {
            await DisposeAsync(scope).ConfigureAwait(false);
        }
    }

    private async Task<TermResult> WorkAsync(ExclusiveTerm term, TermEnding ending)
    {
        using var limit = service.Options.MaxTerm is { } longest
            ? time.CreateTimer(static ending => ((TermEnding)ending!).Ask(TermEnd.MaxTermReached, TimeSpan.Zero), ending, longest, Timeout.InfiniteTimeSpan)
            : null;

        TermResult result;
        try
        {
            await work.RunTermAsync(term, ending.Token).ConfigureAwait(false);
            result = Judge(ending, failure: null);
        }
        catch (Exception exception)
        {
            // Whatever the user's work throws ends its term, and is told by who runs the terms.
            result = Judge(ending, exception);
        }

        // Not on the thread of the work, which may be that of a callback on its token and cannot wait for itself.
        await Task.CompletedTask.ConfigureAwait(ConfigureAwaitOptions.ForceYielding);
        await ending.DisposeAsync().ConfigureAwait(false);
        return result;
    }

    private static TermResult Judge(TermEnding ending, Exception? failure) => ending.Cause is not { } cause
        ? new TermResult(failure is null ? TermEnd.Completed : TermEnd.Failed, failure)
        : new TermResult(cause, failure is OperationCanceledException ? null : failure);

    private async Task DisposeAsync(AsyncServiceScope scope)
    {
        try
        {
            await scope.DisposeAsync().ConfigureAwait(false);
        }
        catch (Exception exception)
        {
            // What the user's services throw then is said, and keeps no lock.
            log.ScopeFailed(exception);
        }
    }
}
