using Coordination.Occurrences;
using Coordination.Quartz.Telemetry;
using Coordination.Stores;
using Microsoft.Extensions.Logging;
using Quartz;

namespace Coordination.Quartz.Execution;

/// <summary>Asks the store whether a run may begin, and waits for its lock where the run is to wait.</summary>
internal sealed class RunAdmission(
    OccurrenceLocks locks, RunLock runLock, OutageLook look, SeriesLook series, JobOutage outage, WaitingRuns waiting, FireStanding standing, SchedulerShutdown shutdown, TimeProvider time, ILogger logger)
{
    /// <summary>How often a run that would rather run with no lease than wait for the store looks whether the store is away.</summary>
    private static readonly TimeSpan LookInterval = TimeSpan.FromSeconds(1);

    /// <summary>Decides the outcome of a run, or admits it with a lease.</summary>
    /// <param name="run">The run.</param>
    /// <param name="longest">How long it waits for a lock that another run has; null for not at all.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <exception cref="JobExecutionException">The store refuses for good.</exception>
    public async Task AdmitAsync(ExclusiveRun run, TimeSpan? longest, CancellationToken cancellationToken)
    {
        using var ending = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, shutdown.Begun, run.WaitEnded);
        try
        {
            var attempt = await AskAsync(run, longest, ending.Token).ConfigureAwait(false);
            if (attempt is { Lease: { } late } && ending.IsCancellationRequested)
            {
                // It was granted in the moment in which it was not to wait any longer.
                await locks.UndoAsync(late).ConfigureAwait(false);
                ending.Token.ThrowIfCancellationRequested();
            }

            if (attempt is not null)
            {
                outage.End(run);
                TakeIn(run, attempt);
            }
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            run.Outcome = OutcomeOfEnded(run);
        }
        catch (LockStoreException e) when (e.IsTransient)
        {
            run.Outcome = !RunsAnyway(run, e) ? FireOutcome.SkippedAsUnavailable
                : ending.IsCancellationRequested ? OutcomeOfEnded(run)
                : FireOutcome.RanUnprotected;
            outage.Meet(run, e);
        }
        catch (LockStoreException e)
        {
            // A refusal that no retry changes, such as a wrong password.
            throw new JobExecutionException($"The job {run.Context.JobDetail.Key} did not run: {e.Message}", e);
        }
    }

    /// <summary>Undoes the lease of a run that does not begin, for another listener says so: its fire time is for another node to run.</summary>
    public async Task AbandonAsync(ExclusiveRun run)
    {
        if (run.TakeLease() is { } lease)
        {
            await locks.UndoAsync(lease).ConfigureAwait(false);
        }
    }

    /// <returns>Null when another fire of the same trigger waits in its place, or its trigger was deleted while it waited.</returns>
    private async Task<OccurrenceAttempt?> AskAsync(ExclusiveRun run, TimeSpan? longest, CancellationToken cancellationToken)
    {
        var (policy, fire) = (run.Policy, run.Fire);
        LockStoreException? failure = null;
        var attempt = new OccurrenceAttempt();
        try
        {
            attempt = await runLock.TryAsync(run, cancellationToken).ConfigureAwait(false);
        }
        catch (LockStoreException e) when (e.IsTransient && longest is not null && WaitRule.WaitsForStore(policy))
        {
            // It may be back while the fire waits.
            failure = e;
            outage.Meet(run, e);
        }

        if (attempt is { Lease: null, Status: OccurrenceStatus.None, Holder: { } holder } && fire is not null && longest is null
            && WaitRule.LongestWaitForOthers(policy) is { } patience && !await series.IsOfSeriesAsync(policy, fire, holder, cancellationToken).ConfigureAwait(false))
        {
            // Nobody else runs this one, and at the next one it may be the same again.
            longest = patience;
        }

        if (attempt is { Lease: null, Status: OccurrenceStatus.None } && longest is null && policy.OnCrash == JobCrashAction.Recover && run.InUseAs is null)
        {
            // The job may run for long, or be done: this is for the nodes that stand by for the fire before, not for that.
            longest = WaitRule.StandbysTurn;
        }

        if (attempt is { Lease: null, Status: OccurrenceStatus.Running })
        {
            // Another node runs this very fire. Should it die, the lock comes to one that stands by, and with it the fire.
            logger.StandsBy(run.Context.JobDetail.Key, fire!.Time, RunName.Parse(attempt.Run)?.NodeId);
            longest = Timeout.InfiniteTimeSpan;
        }

        if (attempt is { Lease: not null } or { Status: OccurrenceStatus.AlreadyRun } || longest is not { } limit)
        {
            return attempt;
        }

        var later = limit == Timeout.InfiniteTimeSpan
            ? await WaitWithoutEndAsync(run, attempt, cancellationToken).ConfigureAwait(false)
            : await WaitAsync(run, attempt, limit, cancellationToken).ConfigureAwait(false);
        if (later is { Lease: null, Status: OccurrenceStatus.None })
        {
            // The time was up. Whether the lock was held until then, or the store away, is what the first attempt said.
            return failure is null ? attempt : throw failure;
        }

        if (later is { Lease: null, Status: OccurrenceStatus.Running })
        {
            // It was begun while this one waited.
            logger.StandsBy(run.Context.JobDetail.Key, fire!.Time, RunName.Parse(later.Run)?.NodeId);
            return await WaitWithoutEndAsync(run, later, cancellationToken).ConfigureAwait(false);
        }

        return later;
    }

    /// <summary>Waits until it has the lock, or the fire was run: a grant that comes to nothing is not the end of it.</summary>
    private async Task<OccurrenceAttempt?> WaitWithoutEndAsync(ExclusiveRun run, OccurrenceAttempt last, CancellationToken cancellationToken)
    {
        while (true)
        {
            try
            {
                var attempt = await WaitAsync(run, last, Timeout.InfiniteTimeSpan, cancellationToken).ConfigureAwait(false);
                if (attempt is not { Lease: null, Status: OccurrenceStatus.None or OccurrenceStatus.Started or OccurrenceStatus.Running })
                {
                    return attempt;
                }

                if (StandsByBeside(run, attempt) && attempt.Run != last.Run)
                {
                    // It was begun while this one stood in the queue.
                    logger.StandsBy(run.Context.JobDetail.Key, run.Fire!.Time, RunName.Parse(attempt.Run)?.NodeId);
                }

                last = attempt;

                // Else the lock was lost between its grant and the question for the fire.
            }
            catch (LockStoreException e) when (e.IsTransient && WaitRule.WaitsForStore(run.Policy))
            {
                // The store went away between them.
                outage.Meet(run, e);
                await Task.Delay(LookInterval, time, cancellationToken).ConfigureAwait(false);
            }
        }
    }

    private async Task<OccurrenceAttempt?> WaitAsync(ExclusiveRun run, OccurrenceAttempt last, TimeSpan limit, CancellationToken cancellationToken)
    {
        if (StandsByBeside(run, last))
        {
            waiting.StandBy();
        }
        else if (!waiting.TryBegin(run, isEndless: limit == Timeout.InfiniteTimeSpan))
        {
            run.Outcome = FireOutcome.SkippedAsWaiting;
            return null;
        }

        var mayRun = false;
        try
        {
            var attempt = await WaitForTurnAsync(run, last, limit, cancellationToken).ConfigureAwait(false);
            mayRun = attempt is { Lease: not null };
            return attempt;
        }
        catch (LockStoreException e) when (RunsAnyway(run, e))
        {
            // Without a lease.
            mayRun = true;
            throw;
        }
        finally
        {
            var returned = waiting.EndAsync(run);
            if (mayRun)
            {
                await TakePlaceAsync(run, returned, cancellationToken).ConfigureAwait(false);
            }
        }
    }

    /// <summary>Waits until it has the lock, and its trigger is not paused: a fire that is held back has no lock meanwhile.</summary>
    private async Task<OccurrenceAttempt?> WaitForTurnAsync(ExclusiveRun run, OccurrenceAttempt last, TimeSpan limit, CancellationToken cancellationToken)
    {
        var runsAnyway = run.Policy.OnStoreUnavailable == JobOutageAction.RunAnyway;
        while (true)
        {
            OccurrenceAttempt attempt;
            try
            {
                attempt = runsAnyway
                    ? await WaitUnlessAwayAsync(run, last, limit, cancellationToken).ConfigureAwait(false)
                    : await runLock.WaitAsync(run, last, limit, cancellationToken).ConfigureAwait(false);
            }
            catch (LockStoreException e) when (RunsAnyway(run, e))
            {
                if (await StandsAsync(run, cancellationToken).ConfigureAwait(false))
                {
                    throw;
                }

                return null;
            }

            if (attempt.Lease is not { } lease || await KeepsTurnAsync(run, lease, cancellationToken).ConfigureAwait(false))
            {
                return attempt;
            }

            if (!await StandsAsync(run, cancellationToken).ConfigureAwait(false))
            {
                return null;
            }

            last = new OccurrenceAttempt();
        }
    }

    /// <summary>Whether a run may begin now with the lease that it was granted, which is undone if not.</summary>
    private async Task<bool> KeepsTurnAsync(ExclusiveRun run, ILockLease lease, CancellationToken cancellationToken)
    {
        var mayRun = false;
        try
        {
            mayRun = await standing.MayRunAsync(run.Context, cancellationToken).ConfigureAwait(false);
            return mayRun;
        }
        finally
        {
            if (!mayRun)
            {
                await locks.UndoAsync(lease).ConfigureAwait(false);
            }
        }
    }

    /// <summary>Waits while the trigger of a run is paused.</summary>
    /// <returns>False where it was deleted.</returns>
    private async Task<bool> StandsAsync(ExclusiveRun run, CancellationToken cancellationToken)
    {
        var stands = await standing.WaitWhilePausedAsync(
            run.Context, () => logger.HeldBackByPause(run.Context.JobDetail.Key, run.Context.ScheduledFireTimeUtc ?? run.Context.FireTimeUtc, run.Context.Trigger.Key), cancellationToken).ConfigureAwait(false);
        if (!stands)
        {
            run.Outcome = FireOutcome.SkippedAsWithdrawn;
        }

        return stands;
    }

    /// <summary>
    /// Has a run whose turn has come wait for a place in the scheduler's thread pool, with its lock in hand: without it the run would lose its turn to every
    /// run that has a place, and with a place in hand before its lock it would be what leaving the place is to prevent.
    /// </summary>
    /// <returns>Completes as well when the run is not to begin any more: then it does not keep its lock until another job makes room.</returns>
    private async Task TakePlaceAsync(ExclusiveRun run, Task returned, CancellationToken cancellationToken)
    {
        if (!returned.IsCompleted)
        {
            logger.WaitsForPlace(run.Context.JobDetail.Key, run.Policy.LockName);
            await returned.WaitAsync(cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    /// <summary>Waits, and no longer than the store replies.</summary>
    private async Task<OccurrenceAttempt> WaitUnlessAwayAsync(ExclusiveRun run, OccurrenceAttempt last, TimeSpan limit, CancellationToken cancellationToken)
    {
        using var ending = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var acquiring = runLock.WaitAsync(run, last, limit, ending.Token);
        while (!cancellationToken.IsCancellationRequested
            && await Task.WhenAny(acquiring, Task.Delay(LookInterval, time, cancellationToken)).ConfigureAwait(false) != acquiring)
        {
            // A waiter may have nothing to ask the store for as long as the holder's lease lasts.
            if (await look.FindOutageAsync(run.Policy.LockName, cancellationToken).ConfigureAwait(false) is not { } failure)
            {
                continue;
            }

            await ending.CancelAsync().ConfigureAwait(false);
            try
            {
                // It may have been granted in this moment.
                return await acquiring.ConfigureAwait(false);
            }
            catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
            {
                // It was not.
                throw new LockStoreException(failure.Message, isTransient: true, failure);
            }
        }

        return await acquiring.ConfigureAwait(false);
    }

    /// <summary>Whether the job runs with no lease because of a failure: not where the store is there, and only this lock is busy in it, which may well be somebody's.</summary>
    private static bool RunsAnyway(ExclusiveRun run, LockStoreException failure) =>
        run.Policy.OnStoreUnavailable == JobOutageAction.RunAnyway && failure is { IsTransient: true, IsLockBusy: false };

    /// <summary>Whether another node has begun the fire, where the lock lets several in.</summary>
    private static bool StandsByBeside(ExclusiveRun run, OccurrenceAttempt last) => run.Policy.Share is not null && last is { Lease: null, Status: OccurrenceStatus.Running };

    /// <summary>Of a run that has not begun: another fire of its trigger waits instead, or the scheduler shuts down, which waits for its fires.</summary>
    private static FireOutcome OutcomeOfEnded(ExclusiveRun run) => run.HasGivenWay ? FireOutcome.SkippedAsWaiting : FireOutcome.SkippedAtStop;

    private static void TakeIn(ExclusiveRun run, OccurrenceAttempt attempt)
    {
        if (attempt.Lease is { } lease)
        {
            run.Admit(lease);
        }

        (run.Outcome, run.Elsewhere) = attempt switch
        {
            { Lease: not null, Status: OccurrenceStatus.Recovering } => (FireOutcome.Recovered, RunName.Parse(attempt.Run)),
            { Lease: not null } => (FireOutcome.Ran, null),
            { Status: OccurrenceStatus.AlreadyRun } => (FireOutcome.SkippedAsRun, RunName.Parse(attempt.Run)),
            _ => (FireOutcome.SkippedAsHeld, attempt.Holder is { } holder ? new RunName(holder.Owner.NodeId, null) : null),
        };
    }
}
