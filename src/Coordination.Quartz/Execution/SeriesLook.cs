using Coordination.Occurrences;
using Coordination.Quartz.Policies;
using Coordination.Stores;

namespace Coordination.Quartz.Execution;

/// <summary>
/// Looks whether the run that holds a lock is of a series, or of another one: of another trigger, another job, or none. The store tells who holds a lock, and
/// of each series the last run and whether it is over; it does not tell of which series the holder is.
/// </summary>
internal sealed class SeriesLook(OccurrenceLocks locks)
{
    /// <summary>Whether the holder of a lock runs an earlier occurrence of the series of a fire; where several have its permits, whether one of them runs the last one that has begun.</summary>
    /// <param name="policy">How the fire is exclusive.</param>
    /// <param name="fire">The fire, which was refused.</param>
    /// <param name="holder">Who holds the lock; one of them, where several do.</param>
    /// <param name="cancellationToken">Ends the look.</param>
    /// <exception cref="LockStoreException">The store could not reply.</exception>
    public async Task<bool> IsOfSeriesAsync(ExclusivePolicy policy, Occurrence fire, LockHolder holder, CancellationToken cancellationToken)
    {
        try
        {
            return await FindAsync(policy, fire, holder, cancellationToken).ConfigureAwait(false);
        }
        catch (LockStoreException e) when (e.InUseAs is not null || e.IsLockBusy)
        {
            // Nobody holds it any more as this job would, so it is no run that was seen; or nobody can say, and what waits is not dropped.
            return false;
        }
    }

    private async Task<bool> FindAsync(ExclusivePolicy policy, Occurrence fire, LockHolder holder, CancellationToken cancellationToken)
    {
        // No run is as early as that, so the reply is which one was the last.
        var last = RunName.Parse(await AskAsync(policy, fire with { Time = DateTimeOffset.UnixEpoch, Recover = false }, cancellationToken).ConfigureAwait(false) is { Status: OccurrenceStatus.AlreadyRun } known ? known.Run : null);
        if (last is null || ((policy.Share is null || last.Time is null) && last.NodeId != holder.Owner.NodeId))
        {
            return false;
        }

        if (last.Time > fire.Time)
        {
            // A later one began first, on another node, where several are under way at a time. It is no reason to leave this one out.
            return false;
        }

        // One that could be recovered is not over. An older version's run does not tell its time: then it counts as the holder.
        // Where several hold the lock, the store names the one that has that run.
        return last.Time is not { } time
            || (await AskAsync(policy, fire with { Time = time, Recover = true }, cancellationToken).ConfigureAwait(false) is { Status: OccurrenceStatus.Running } asked
                && (policy.Share is null || asked.Holder?.Owner.NodeId == last.NodeId));
    }

    /// <summary>Asks for an occurrence while the lock is held. Where it became free in this moment, nothing is begun.</summary>
    private async Task<OccurrenceAttempt> AskAsync(ExclusivePolicy policy, Occurrence occurrence, CancellationToken cancellationToken)
    {
        var attempt = await locks.TryAcquireAsync(policy.LockName, policy.Share, policy.LockOptions with { LockAtLeastFor = null }, occurrence, cancellationToken).ConfigureAwait(false);
        if (attempt is { Lease: { } unfinished, Status: OccurrenceStatus.Recovering } && policy.OnCrash == JobCrashAction.Recover)
        {
            // Its run was cut short, and a node that stands by for it is to find it so.
            await locks.ReleaseUnfinishedAsync(unfinished).ConfigureAwait(false);
        }
        else if (attempt is { Lease: { } lease, Status: OccurrenceStatus.Recovering })
        {
            // Its run was begun and is over now, as it is for all nodes: undone it would be free for another run.
            await lease.ReleaseAsync(CancellationToken.None).ConfigureAwait(false);
        }
        else if (attempt.Lease is not null)
        {
            await locks.UndoAsync(attempt.Lease).ConfigureAwait(false);
        }

        return attempt;
    }
}
