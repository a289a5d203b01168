using System.Runtime.ExceptionServices;
using Coordination.Hosting.Execution;
using Coordination.Hosting.Telemetry;
using Coordination.Occurrences;
using Coordination.Stores;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Coordination.Hosting.RunOnce;

/// <summary>Work that one node of the cluster does, once, and the others wait for.</summary>
internal sealed class RunOnceStep(
    RunOnceWork work, RunOnceOptions options, LeasedWork leased, OccurrenceLocks occurrences, string nodeId, IHostApplicationLifetime? lifetime, TimeProvider time, ServiceLog log, ILogger logger)
{
    /// <summary>The same on every node, and for ever: it is run once.</summary>
    private static readonly DateTimeOffset Moment = new(2000, 1, 1, 0, 0, 0, TimeSpan.Zero);

    private static readonly TimeSpan RetryDelay = TimeSpan.FromSeconds(1);

    public RunOnceWork Work => work;

    /// <summary>The name of the node that has its lock; null for the one that has none.</summary>
    public string? NodeName => options.Node;

    /// <summary>Returns when it is done, by whichever node, or when the host is to stop, which is no failure of its start.</summary>
    /// <returns>Whether it is done.</returns>
    /// <exception cref="OperationCanceledException">The start was cancelled, and the host is not told to stop: it must not start without the work.</exception>
    public async Task<bool> RunAsync(CancellationToken cancellationToken)
    {
        work.Status.Enter(WorkPhase.Waiting);
        try
        {
            while (!await TryAsync(cancellationToken).ConfigureAwait(false))
            {
                // The lease was lost. Whoever has the lock next goes on.
            }

            work.Status.Enter(WorkPhase.Done);
            return true;
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested || leased.Abandoned.IsCompleted)
        {
            logger.RunOnceCancelled(work.Name);
            if (lifetime is not { ApplicationStopping.IsCancellationRequested: true })
            {
                throw;
            }

            // The host does stop by itself when this returns, and would end by an exception that is thrown here.
            return false;
        }
        finally
        {
            if (work.Status.Phase != WorkPhase.Done)
            {
                work.Status.Enter(WorkPhase.Stopped);
            }
        }
    }

    /// <returns>Whether it is done.</returns>
    private async Task<bool> TryAsync(CancellationToken cancellationToken)
    {
        var attempt = await AcquireAsync(cancellationToken).ConfigureAwait(false);
        if (attempt.Lease is not { } lease)
        {
            logger.RunOnceWasDone(work.Name);
            return true;
        }

        if (cancellationToken.IsCancellationRequested)
        {
            // It came in the moment of the cancellation, and the work does not begin.
            await occurrences.UndoAsync(lease).ConfigureAwait(false);
            cancellationToken.ThrowIfCancellationRequested();
        }

        var doing = DoAsync(lease, attempt.Status == OccurrenceStatus.Recovering, cancellationToken);
        if (await Task.WhenAny(doing, leased.Abandoned).ConfigureAwait(false) != doing)
        {
            // Its lease is lost, it does not return, and the host is being stopped because of that.
            await Task.Delay(Timeout.InfiniteTimeSpan, lifetime?.ApplicationStopping ?? cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            throw new OperationCanceledException($"'{work.Name}' is overdue, and nobody waits for it any more.", cancellationToken);
        }

        return await doing.ConfigureAwait(false);
    }

    /// <returns>Whether it is done.</returns>
    private async Task<bool> DoAsync(ILockLease lease, bool isRecovery, CancellationToken cancellationToken)
    {
        using var status = work.Status.Begin();
        var begun = time.GetTimestamp();
        logger.RunOnceBegins(work.Name, work.LockName, lease.FencingToken, isRecovery);
        var (end, failure, _) = (await leased.RunAsync(
            lease,
            new WorkEnding(lease, log, cancellationToken),
            (services, told) => work.Do(new RunOnceContext(lease.AsReadOnly(), services, isRecovery), told),
            onLost: () => status.Enter(WorkPhase.Lost),
            onOverdue: () => status.Enter(WorkPhase.Overdue)).ConfigureAwait(false)).WithScope();
        var duration = time.GetElapsedTime(begun);
        switch (end)
        {
            case WorkEnd.Completed:
                var release = await lease.ReleaseAsync(CancellationToken.None).ConfigureAwait(false);
                logger.RunOnceDone(work.Name, duration, options.RememberFor);
                if (release != ReleaseResult.Released)
                {
                    logger.RunOnceUnconfirmed(work.Name, work.LockName, lease.FencingToken, release);
                }

                return true;
            case WorkEnd.Lost:
                await lease.ReleaseAsync(CancellationToken.None).ConfigureAwait(false);
                logger.RunOnceLost(work.Name, duration, lease.LossReason);
                return false;
            case WorkEnd.Stopped:
                // It may have returned before it was done. Another node may try, at once.
                await occurrences.ReleaseUnfinishedAsync(lease).ConfigureAwait(false);
                throw new OperationCanceledException(cancellationToken);
            default:
                await occurrences.ReleaseUnfinishedAsync(lease).ConfigureAwait(false);
                ExceptionDispatchInfo.Throw(failure!);
                return false;
        }
    }

    /// <summary>Waits until the lock is this node's, or the work is done.</summary>
    private async Task<OccurrenceAttempt> AcquireAsync(CancellationToken cancellationToken)
    {
        // One for all tries, because a grant may be lost on its way.
        var occurrence = new Occurrence { Series = "run-once", Time = Moment, Run = $"{nodeId}/{Guid.NewGuid():n}", RememberFor = options.RememberFor, Recover = true };
        var hasWaited = false;
        while (true)
        {
            try
            {
                var attempt = hasWaited
                    ? await occurrences.AcquireAsync(work.LockName, options.LockOptions, occurrence, Timeout.InfiniteTimeSpan, cancellationToken).ConfigureAwait(false)
                    : await occurrences.TryAcquireAsync(work.LockName, options.LockOptions, occurrence, cancellationToken).ConfigureAwait(false);
                if (attempt.Lease is not null || attempt.Status == OccurrenceStatus.AlreadyRun)
                {
                    return attempt;
                }
            }
            catch (LockStoreException away) when (away.IsTransient)
            {
                await Task.Delay(RetryDelay, time, cancellationToken).ConfigureAwait(false);
            }

            if (!hasWaited)
            {
                logger.RunOnceWaits(work.Name);
                hasWaited = true;
            }
        }
    }
}
