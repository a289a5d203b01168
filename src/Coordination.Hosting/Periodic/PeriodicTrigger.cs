using System.Runtime.ExceptionServices;
using Coordination.Hosting.Execution;
using Coordination.Hosting.Runners;

namespace Coordination.Hosting.Periodic;

/// <summary>The trigger of the one service of a type.</summary>
internal sealed class PeriodicTrigger<TService>(ExclusiveServiceRunner runner, PeriodicRuns runs, ILock @lock, Func<LeasedWork> createLeased) : IPeriodicTrigger<TService>
    where TService : ExclusivePeriodicService
{
    public Task RunNowAsync(CancellationToken cancellationToken = default)
    {
        // Watched on its own: that a run of the schedule is abandoned says nothing of this one.
        var leased = createLeased();
        return runner.RunBesideAsync(stop => RunAsync(leased, stop, cancellationToken), leased.Abandoned);
    }

    private async Task RunAsync(LeasedWork leased, CancellationToken stop, CancellationToken cancellationToken)
    {
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, stop);
        try
        {
            var lease = await @lock.AcquireAsync(either.Token).ConfigureAwait(false);
            var (end, failure, _) = await runs.RunAsync(leased, lease, scheduledFor: null, isRecovery: false, either.Token).ConfigureAwait(false);
            switch (end)
            {
                case WorkEnd.Lost:
                    throw new LeaseLostException(lease, failure);
                case WorkEnd.Stopped:
                    throw new OperationCanceledException(failure?.Message, failure, either.Token);
                case WorkEnd.Failed:
                    ExceptionDispatchInfo.Throw(failure!);
                    break;
            }
        }
        catch (OperationCanceledException exception) when (cancellationToken.IsCancellationRequested)
        {
            // With the caller's token, and not with one that links it.
            throw new OperationCanceledException(exception.Message, exception.InnerException, cancellationToken);
        }
    }
}
