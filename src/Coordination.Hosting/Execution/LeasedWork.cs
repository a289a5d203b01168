using System.Diagnostics.CodeAnalysis;
using Microsoft.Extensions.DependencyInjection;

namespace Coordination.Hosting.Execution;

/// <summary>Runs work of the user's under a lease, in a scope of its own, until it has really returned.</summary>
internal static class LeasedWork
{
    /// <param name="lease">The lease, which is not released here.</param>
    /// <param name="scopes">Makes the scope.</param>
    /// <param name="work">The work. Its token is cancelled when the lease is lost, or <paramref name="stop"/> is.</param>
    /// <param name="stop">Tells the work to stop.</param>
    [SuppressMessage("Design", "CA1031:Do not catch general exception types", Justification = "Whatever the user's work throws ends the work, and is told by the caller.")]
    public static async Task<(WorkEnd End, Exception? Failure)> RunAsync(
        ILockLease lease, IServiceScopeFactory scopes, Func<IServiceProvider, CancellationToken, Task> work, CancellationToken stop)
    {
        using var told = CancellationTokenSource.CreateLinkedTokenSource(lease.Lost, stop);
        Exception? failure = null;
        try
        {
            var scope = scopes.CreateAsyncScope();
            await using (scope.ConfigureAwait(false))
            {
                // On the pool, so that work which blocks before its first await blocks nobody else.
                await Task.Run(() => work(scope.ServiceProvider, told.Token), CancellationToken.None).ConfigureAwait(false);
            }
        }
        catch (Exception exception)
        {
            // Whatever the user's work throws, or the disposal of its scope, ends the run, and is told by the caller.
            failure = exception;
        }

        // Not the token of the work, which follows these two with a delay: the work may have heard of it from them.
        return (lease.Lost.IsCancellationRequested, stop.IsCancellationRequested, failure) switch
        {
            (true, _, _) => (WorkEnd.Lost, failure),
            (_, _, null) => (WorkEnd.Completed, null),
            (_, true, _) => (WorkEnd.Stopped, failure),
            _ => (WorkEnd.Failed, failure),
        };
    }
}
