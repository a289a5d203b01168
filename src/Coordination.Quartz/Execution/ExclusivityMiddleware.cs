using System.Collections.Concurrent;
using Coordination.Occurrences;
using Coordination.Quartz.Policies;
using Coordination.Quartz.Telemetry;
using Coordination.Stores;
using Microsoft.Extensions.Logging;
using Quartz;

namespace Coordination.Quartz.Execution;

/// <summary>
/// Holds the lease around the run. A middleware, because its entry and exit are paired whatever happens: a lock that is acquired in one
/// listener's callback and released in another's is held for ever when a third listener throws in between, and once too often at a refire.
/// </summary>
internal sealed class ExclusivityMiddleware(
    OccurrenceLocks locks, ExclusivePolicies policies, FireTimes fireTimes, ExclusiveRuns runs, SchedulerShutdown shutdown, ILogger logger) : IJobExecutionMiddleware
{
    /// <summary>How long nodes that stand by for a fire have the lock, one after the other, to see that it was run.</summary>
    private static readonly TimeSpan StandbysTurn = TimeSpan.FromMilliseconds(500);

    /// <summary>How long a refire waits for the lock that its fire has just released.</summary>
    private static readonly TimeSpan RefiresTurn = TimeSpan.FromSeconds(5);

    /// <summary>Types that were warned of.</summary>
    private readonly ConcurrentDictionary<Type, bool> _namedByType = new();

    public async ValueTask Invoke(IJobExecutionContext context, JobExecutionDelegate next, CancellationToken cancellationToken = default)
    {
        var (policy, fire) = await DecideAsync(context, cancellationToken).ConfigureAwait(false);
        if (policy is null)
        {
            await next(context, cancellationToken).ConfigureAwait(false);
            return;
        }

        var run = new ExclusiveRun(context, policy, fire, logger);
        run.Publish();
        runs.Add(run);
        try
        {
            if (await AcquireAsync(run, cancellationToken).ConfigureAwait(false) is { } lease)
            {
                await RunAsync(run, lease, next, cancellationToken).ConfigureAwait(false);
            }
            else if (run.Outcome == FireOutcome.RanUnprotected)
            {
                await next(context, cancellationToken).ConfigureAwait(false);
            }
            else
            {
                context.Result = JobRunReport.Skipped(Explain(run));
            }
        }
        finally
        {
            runs.Remove(run);
            run.End();
        }
    }

    /// <summary>A job that cannot be exclusive as it is set does not run: the fire fails, and says what to change.</summary>
    private async ValueTask<(ExclusivePolicy? Policy, Occurrence? Fire)> DecideAsync(IJobExecutionContext context, CancellationToken cancellationToken)
    {
        var job = await fireTimes.IdentifyAsync(context.Scheduler, context.JobDetail, cancellationToken).ConfigureAwait(false);
        try
        {
            if (policies.Find(context.JobDetail, context.MergedJobDataMap, job) is not { } policy)
            {
                return (null, null);
            }

            var type = context.JobDetail.JobType.Type;
            if (job.IsOfType && policy.LockName == job.Text && _namedByType.TryAdd(type, true))
            {
                logger.NamedByType(context.JobDetail.Key, type);
            }
            else if (fireTimes.MayBeOfOneNode(context.JobDetail.Key) && policy.LockName == job.Text && _namedByType.TryAdd(type, true))
            {
                logger.KeyMayBeGenerated(context.JobDetail.Key, type);
            }

            return (policy, fireTimes.Find(context, policy, job.Text, policies.FireTimeRetention));
        }
        catch (ArgumentException e)
        {
            throw new JobExecutionException(e.Message, e);
        }
    }

    /// <returns>Null when the job is not to run, or not with a lease; the run says why.</returns>
    private async Task<ILockLease?> AcquireAsync(ExclusiveRun run, CancellationToken cancellationToken)
    {
        using var ending = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, shutdown.Begun);
        try
        {
            var attempt = await AskAsync(run, ending.Token).ConfigureAwait(false);
            TakeIn(run, attempt);
            return attempt.Lease;
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            // The scheduler shuts down, and waits for its fires; this one has not begun.
            run.Outcome = FireOutcome.SkippedAsHeld;
        }
        catch (LockStoreException e) when (e.IsTransient)
        {
            logger.StoreUnavailable(e, run.Context.JobDetail.Key);
            run.Outcome = run.Policy.OnStoreUnavailable == JobOutageAction.RunAnyway ? FireOutcome.RanUnprotected : FireOutcome.SkippedAsUnavailable;
        }
        catch (LockStoreException e)
        {
            // A refusal that no retry changes, such as a wrong password.
            throw new JobExecutionException($"The job {run.Context.JobDetail.Key} did not run: {e.Message}", e);
        }

        return null;
    }

    private async Task<OccurrenceAttempt> AskAsync(ExclusiveRun run, CancellationToken cancellationToken)
    {
        var (policy, fire, wait) = (run.Policy, run.Fire, MayWait(run));
        LockStoreException? failure = null;
        var attempt = new OccurrenceAttempt();
        try
        {
            attempt = await locks.TryAcquireAsync(policy.LockName, policy.LockOptions, fire, cancellationToken).ConfigureAwait(false);
        }
        catch (LockStoreException e) when (e.IsTransient && wait is not null)
        {
            // It may be back while the fire waits.
            failure = e;
        }

        if (attempt is { Lease: null, Status: OccurrenceStatus.None } && wait is null && policy.OnCrash == JobCrashAction.Recover)
        {
            // The job may run for long, or be done: this is for the nodes that stand by for the fire before, not for that.
            wait = StandbysTurn;
        }

        if (attempt is { Lease: null, Status: not OccurrenceStatus.AlreadyRun } && wait is { } longest)
        {
            var later = await locks.AcquireAsync(policy.LockName, policy.LockOptions, fire, longest, cancellationToken).ConfigureAwait(false);
            var isTimeUp = later is { Lease: null, Status: OccurrenceStatus.None };

            // Whether the lock was held until then, or the store away, is what the first attempt said.
            attempt = !isTimeUp ? later : failure is null ? attempt : throw failure;
        }

        if (attempt is { Lease: null, Status: OccurrenceStatus.Running })
        {
            // Another node runs this very fire. Should it die, the lock comes to one that stands by, and with it the fire.
            logger.StandsBy(run.Context.JobDetail.Key, fire!.Time, NodeIn(attempt.Run));
            attempt = await locks.AcquireAsync(policy.LockName, policy.LockOptions, fire, Timeout.InfiniteTimeSpan, cancellationToken).ConfigureAwait(false);
        }

        return attempt;
    }

    /// <summary>How long a fire waits for a lock that another has; null for not at all.</summary>
    private static TimeSpan? MayWait(ExclusiveRun run) =>
        run.Policy.OnConflict == JobConflictAction.Wait ? run.Policy.MaxWait

        // It had the lock a moment ago. A node that stands by may have it for the moment that it takes to see that the fire was run, and one
        // with a short job for its next fire.
        : run.Context.RefireCount > 0 ? RefiresTurn
        : null;

    private static void TakeIn(ExclusiveRun run, OccurrenceAttempt attempt) => (run.Outcome, run.Elsewhere) = attempt switch
    {
        { Lease: not null, Status: OccurrenceStatus.Recovering } => (FireOutcome.Recovered, NodeIn(attempt.Run)),
        { Lease: not null } => (FireOutcome.Ran, null),
        { Status: OccurrenceStatus.AlreadyRun } => (FireOutcome.SkippedAsRun, NodeIn(attempt.Run)),
        _ => (FireOutcome.SkippedAsHeld, attempt.Holder?.Owner.NodeId),
    };

    private async Task RunAsync(ExclusiveRun run, ILockLease lease, JobExecutionDelegate next, CancellationToken cancellationToken)
    {
        var wasCancelled = false;
        run.Begin(lease);
        try
        {
            await using (lease.Lost.UnsafeRegister(static run => ((ExclusiveRun)run!).Interrupt(), run).ConfigureAwait(false))
            {
                try
                {
                    await next(run.Context, cancellationToken).ConfigureAwait(false);
                }
                finally
                {
                    run.EndInterruption();
                }
            }

            FailIfLost(run, lease, null);
        }
        catch (OperationCanceledException e)
        {
            // A cancellation passes for a success; a lease that is lost must not.
            wasCancelled = true;
            FailIfLost(run, lease, e);
            throw;
        }
        finally
        {
            if (lease.State == LeaseState.Lost)
            {
                run.Outcome = FireOutcome.Lost;
            }

            await ReleaseAsync(run, lease, wasCancelled).ConfigureAwait(false);
        }
    }

    private async Task ReleaseAsync(ExclusiveRun run, ILockLease lease, bool wasCancelled)
    {
        // Not finished, because this node stops: for another to run.
        if (wasCancelled && shutdown.Begun.IsCancellationRequested && run.Policy.OnCrash == JobCrashAction.Recover)
        {
            await locks.ReleaseUnfinishedAsync(lease).ConfigureAwait(false);
            return;
        }

        var result = await lease.ReleaseAsync(CancellationToken.None).ConfigureAwait(false);
        if (result == ReleaseResult.NotHeld && run.Outcome != FireOutcome.Lost)
        {
            logger.FoundLostAtRelease(run.Context.JobDetail.Key, lease.LockName, lease.FencingToken);
        }
    }

    private static void FailIfLost(ExclusiveRun run, ILockLease lease, OperationCanceledException? inner)
    {
        if (lease.State == LeaseState.Lost)
        {
            throw new JobExecutionException($"Lease lost: the job {run.Context.JobDetail.Key} no longer has the lock '{lease.LockName}' (token {lease.FencingToken}, {lease.LossReason}).", inner!);
        }
    }

    /// <summary>A run is called node/scheduler/fire.</summary>
    private static string? NodeIn(string? run) => run?.Split('/', 2)[0];

    private static string Explain(ExclusiveRun run) => run.Outcome switch
    {
        FireOutcome.SkippedAsRun => $"This fire time was run by {run.Elsewhere ?? "another node"}.",
        FireOutcome.SkippedAsUnavailable => "The lock store does not reply.",
        _ => run.Elsewhere is { } node ? $"The lock '{run.Policy.LockName}' is held by {node}." : $"The lock '{run.Policy.LockName}' is not free.",
    };
}
