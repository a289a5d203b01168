using Coordination.Occurrences;
using Coordination.Quartz.Telemetry;
using Microsoft.Extensions.Logging;
using Quartz;

namespace Coordination.Quartz.Execution;

/// <summary>
/// Holds the lease around the run. A middleware, because its entry and exit are paired whatever happens: a lock that is acquired in one
/// listener's callback and released in another's is held for ever when a third listener throws in between, and once too often at a refire.
/// </summary>
internal sealed class ExclusivityMiddleware(ExclusivityGate gate, OccurrenceLocks locks, SchedulerShutdown shutdown, TimeProvider time, ILogger logger) : IJobExecutionMiddleware
{
    public async ValueTask Invoke(IJobExecutionContext context, JobExecutionDelegate next, CancellationToken cancellationToken = default)
    {
        if (gate.Enter(context) is not { } run)
        {
            await next(context, cancellationToken).ConfigureAwait(false);
            return;
        }

        try
        {
            if (run.TakeLease() is { } lease)
            {
                await RunAsync(run, lease, next, cancellationToken).ConfigureAwait(false);
            }
            else if (run.Outcome == FireOutcome.RanUnprotected)
            {
                // The store is away, and the job is to run anyway.
                await RunUnprotectedAsync(run, next, cancellationToken).ConfigureAwait(false);
            }
            else
            {
                throw new JobExecutionException(
                    $"The job {context.JobDetail.Key} was to run a second time in one fire, and its lease is released: a middleware called the next one twice. Ask Quartz for another try, by RefireImmediately or by a retry policy.");
            }
        }
        finally
        {
            gate.End(run);
        }
    }

    private async Task RunAsync(ExclusiveRun run, ILockLease lease, JobExecutionDelegate next, CancellationToken cancellationToken)
    {
        var wasCancelled = false;
        try
        {
            await PlayAsync(run, lease, next, cancellationToken).ConfigureAwait(false);
            FailIfLost(run, lease, null);
            wasCancelled = WasToldToStop(cancellationToken);
        }
        catch (OperationCanceledException e) when (cancellationToken.IsCancellationRequested)
        {
            // A cancellation passes for a success; a lease that is lost must not, nor a run that took too long.
            wasCancelled = true;
            FailIfLost(run, lease, e);
            FailIfOverdue(run, e);
            throw;
        }
        catch (Exception) when (WasToldToStop(cancellationToken))
        {
            // A client library that was cancelled throws what it likes. The job did not finish, because this node stops.
            wasCancelled = true;
            throw;
        }
        finally
        {
            if (lease.State == LeaseState.Lost)
            {
                run.Outcome = FireOutcome.Lost;
            }
            else if (wasCancelled)
            {
                run.Outcome = FireOutcome.Cancelled;
            }

            await ReleaseAsync(run, lease, wasCancelled).ConfigureAwait(false);
        }
    }

    /// <summary>
    /// Whether this node stops and has told the job so. A job that returns then may be done, or may have left off: nobody can tell, and so it counts as one
    /// that did not finish.
    /// </summary>
    private bool WasToldToStop(CancellationToken cancellationToken) => cancellationToken.IsCancellationRequested && shutdown.Begun.IsCancellationRequested;

    private async Task RunUnprotectedAsync(ExclusiveRun run, JobExecutionDelegate next, CancellationToken cancellationToken)
    {
        try
        {
            await PlayAsync(run, lease: null, next, cancellationToken).ConfigureAwait(false);
            if (WasToldToStop(cancellationToken))
            {
                run.Outcome = FireOutcome.Cancelled;
            }
        }
        catch (OperationCanceledException e) when (cancellationToken.IsCancellationRequested)
        {
            FailIfOverdue(run, e);
            throw;
        }
    }

    /// <summary>Runs the job so that it can be interrupted: when its lease is lost, when it takes too long, when the host stops.</summary>
    private async Task PlayAsync(ExclusiveRun run, ILockLease? lease, JobExecutionDelegate next, CancellationToken cancellationToken)
    {
        run.Begin(lease);
        await using ((lease?.Lost ?? CancellationToken.None).UnsafeRegister(static run => ((ExclusiveRun)run!).Interrupt(), run).ConfigureAwait(false))
        await using (InterruptWhenOverdue(run).ConfigureAwait(false))
        {
            try
            {
                // By now it may be lost: the run may have waited for a place, or the process stood still.
                FailIfLost(run, lease, null);
                await next(run.Context, cancellationToken).ConfigureAwait(false);
            }
            finally
            {
                run.EndInterruption();
            }
        }
    }

    /// <summary>The token first: the lease is renewed until the job has returned, however long it takes after that.</summary>
    private ITimer InterruptWhenOverdue(ExclusiveRun run) => time.CreateTimer(
        _ =>
        {
            if (run.InterruptAsOverdue())
            {
                logger.InterruptedAsOverdue(run.Context.JobDetail.Key, run.Policy.MaxRunTime);
            }
        },
        null,
        run.Policy.MaxRunTime ?? Timeout.InfiniteTimeSpan,
        Timeout.InfiniteTimeSpan);

    private async Task ReleaseAsync(ExclusiveRun run, ILockLease lease, bool wasCancelled)
    {
        // Not finished, because this node stops: for another to run.
        if (wasCancelled && shutdown.Begun.IsCancellationRequested && run.Fire is { Recover: true })
        {
            run.IsLeftForAnother = true;
            await locks.ReleaseUnfinishedAsync(lease).ConfigureAwait(false);
            return;
        }

        var result = await lease.ReleaseAsync(CancellationToken.None).ConfigureAwait(false);
        if (result != ReleaseResult.Released && run.Outcome != FireOutcome.Lost)
        {
            logger.ReleaseUnconfirmed(run.Context.JobDetail.Key, run.Context.ScheduledFireTimeUtc ?? run.Context.FireTimeUtc, lease.LockName, lease.FencingToken, result);
        }
    }

    private static void FailIfLost(ExclusiveRun run, ILockLease? lease, OperationCanceledException? inner)
    {
        if (lease is { State: LeaseState.Lost })
        {
            throw new JobExecutionException($"Lease lost: the job {run.Context.JobDetail.Key} no longer has the lock '{lease.LockName}' (token {lease.FencingToken}, {lease.LossReason}).", new LeaseLostException(lease, inner));
        }
    }

    private static void FailIfOverdue(ExclusiveRun run, OperationCanceledException inner)
    {
        if (run.IsOverdue)
        {
            throw new JobExecutionException($"The job {run.Context.JobDetail.Key} was interrupted after its {nameof(ExclusiveJobOptions.MaxRunTime)} of {run.Policy.MaxRunTime:c}.", inner);
        }
    }
}
