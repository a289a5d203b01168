using Coordination.Occurrences;
using Coordination.Stores;

namespace Coordination.Quartz.Execution;

/// <summary>
/// Asks the store for the lock of a run: all of it, or one of its permits. Mostly a run that waits has a place in the store's queue. Where that does not help, it asks again now and
/// then: where others use the lock with another capacity, where something keeps it busy in the store, and where another node runs this very fire and there are permits beside.
/// </summary>
internal sealed class RunLock(OccurrenceLocks locks, CapacityConflicts conflicts, TimeProvider time)
{
    /// <summary>How long it pauses at least before it asks again. The longest pause is twice as long: nodes that wait for the same do not ask in step.</summary>
    private static readonly TimeSpan ShortestPause = TimeSpan.FromSeconds(1);

    /// <summary>Tries once.</summary>
    /// <returns>
    /// What came of it. Where others use the lock with another capacity, nothing, and <see cref="ExclusiveRun.InUseAs"/> says so; where it is busy as well, and
    /// <see cref="ExclusiveRun.IsLockBusy"/> does.
    /// </returns>
    /// <exception cref="LockStoreException">The store could not reply, or refused for good.</exception>
    public Task<OccurrenceAttempt> TryAsync(ExclusiveRun run, CancellationToken cancellationToken) =>
        AskAsync(run, () => locks.TryAcquireAsync(run.Policy.LockName, run.Policy.Share, run.Policy.LockOptions, run.Fire, cancellationToken));

    /// <summary>Waits for the lock.</summary>
    /// <param name="run">The run.</param>
    /// <param name="last">What it learned when it asked last.</param>
    /// <param name="limit">How long it waits.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <returns>The lease, or that the fire is run or was run elsewhere; nothing when the time is up.</returns>
    /// <exception cref="LockStoreException">The store could not reply, or refused for good.</exception>
    public async Task<OccurrenceAttempt> WaitAsync(ExclusiveRun run, OccurrenceAttempt last, TimeSpan limit, CancellationToken cancellationToken)
    {
        var (began, isEndless) = (time.GetTimestamp(), limit == Timeout.InfiniteTimeSpan);
        var asksAgain = IsUnderWayBeside(run, last);
        var standsBy = asksAgain && isEndless;
        LockStoreException? failure = null;
        while (true)
        {
            var rest = isEndless ? limit : limit - time.GetElapsedTime(began);
            if (!isEndless && rest <= TimeSpan.Zero)
            {
                return failure is null ? new OccurrenceAttempt() : throw failure;
            }

            if (asksAgain || run.InUseAs is not null || run.IsLockBusy)
            {
                await PauseAsync(isEndless ? Timeout.InfiniteTimeSpan : rest, cancellationToken).ConfigureAwait(false);
                try
                {
                    last = await TryAsync(run, cancellationToken).ConfigureAwait(false);
                    (asksAgain, failure) = (IsUnderWayBeside(run, last), null);
                }
                catch (LockStoreException e) when (e.IsTransient && run.Policy.OnStoreUnavailable != JobOutageAction.RunAnyway)
                {
                    // In the store's queue an outage would be waited out as well.
                    failure = e;
                    continue;
                }

                if (last.Lease is not null || last.Status == OccurrenceStatus.AlreadyRun)
                {
                    return last;
                }
            }
            else
            {
                last = await AskAsync(run, () => locks.AcquireAsync(run.Policy.LockName, run.Policy.Share, run.Policy.LockOptions, run.Fire, rest, cancellationToken)).ConfigureAwait(false);
                if (run is { InUseAs: null, IsLockBusy: false })
                {
                    return last;
                }
            }

            if (asksAgain && !standsBy)
            {
                // It was begun elsewhere meanwhile, and is waited for in another way.
                return last;
            }
        }
    }

    /// <summary>
    /// Whether another node runs this very fire, as far as the store tells: it names who holds the permit of that run. Where that run is cut short and all permits are taken, it names
    /// another holder, and the fire has to wait for its turn as any other.
    /// </summary>
    private static bool IsUnderWayBeside(ExclusiveRun run, OccurrenceAttempt attempt) =>
        run.Policy.Share is not null && attempt is { Lease: null, Status: OccurrenceStatus.Running } && RunName.Parse(attempt.Run)?.NodeId == attempt.Holder?.Owner.NodeId;

    private async Task<OccurrenceAttempt> AskAsync(ExclusiveRun run, Func<Task<OccurrenceAttempt>> ask)
    {
        try
        {
            var attempt = await ask().ConfigureAwait(false);
            (run.InUseAs, run.IsLockBusy) = (null, false);
            conflicts.End(run.Context.JobDetail.Key, run.Policy);
            return attempt;
        }
        catch (LockStoreException e) when (e.InUseAs is { } other)
        {
            // Nobody has the fire for that: it is no refusal for good.
            (run.InUseAs, run.IsLockBusy) = (other, false);
            conflicts.Meet(run.Context.JobDetail.Key, run.Policy, other);
            return new OccurrenceAttempt();
        }
        catch (LockStoreException e) when (e.IsLockBusy)
        {
            // The store is there, and may have granted the lock to somebody: to a fire it is as one that is held. The node's log says that it is busy.
            run.IsLockBusy = true;
            return new OccurrenceAttempt();
        }
    }

    private Task PauseAsync(TimeSpan rest, CancellationToken cancellationToken)
    {
        var pause = ShortestPause * (1 + Random.Shared.NextDouble());
        return Task.Delay(rest != Timeout.InfiniteTimeSpan && rest < pause ? rest : pause, time, cancellationToken);
    }
}
