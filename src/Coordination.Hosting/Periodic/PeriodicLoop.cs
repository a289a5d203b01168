using Coordination.Hosting.Execution;
using Coordination.Hosting.Runners;
using Coordination.Hosting.Services;
using Coordination.Hosting.Telemetry;
using Coordination.Occurrences;
using Coordination.Stores;

namespace Coordination.Hosting.Periodic;

/// <summary>Takes one periodic service through its slots: waits for the next, asks for it, has it run, and again, until the host stops.</summary>
/// <remarks>
/// Nothing but the host's stop ends the loop. What nobody expected to fail is logged, counts as a failure, and is tried again after a while: one service is
/// no reason to end all others with the host, as the platform's BackgroundServiceExceptionBehavior would. Who wants that sets StopHostAfterFailures.
/// </remarks>
internal sealed class PeriodicLoop(
    PeriodicService service, PeriodicRuns runs, LeasedWork leased, OccurrenceLocks occurrences, string nodeId, FailureLimit failures, TimeProvider time, ServiceLog log, PeriodicLog periodicLog) : IServiceLoop
{
    /// <summary>How long to wait at once for the next slot: the wall clock may be set meanwhile.</summary>
    private static readonly TimeSpan LongestWait = TimeSpan.FromMinutes(1);

    private static readonly TimeSpan RetryDelay = TimeSpan.FromSeconds(1);

    private static readonly TimeSpan FailureDelay = TimeSpan.FromSeconds(30);

    private bool _isRefused;
    private DateTimeOffset? _done;

    /// <summary>The occurrence that is being asked for, until its run begins. Asked for again as the same run, because a grant may have been lost on its way.</summary>
    private Occurrence? _asked;

    public TimeSpan LeaseDuration => service.LeaseDuration;

    public Task Abandoned => leased.Abandoned;

    public ServiceLog Log => log;

    /// <summary>Not while it waits between two runs, or for the store.</summary>
    public bool HoldsLock => service.Status.Phase is WorkPhase.Running or WorkPhase.Lost or WorkPhase.Overdue;

    public void EndUnbegun() => service.Status.Enter(WorkPhase.Stopped);

    public async Task RunAsync(CancellationToken stop)
    {
        while (!stop.IsCancellationRequested)
        {
            try
            {
                service.Status.Enter(WorkPhase.Waiting);
                await service.Switch.WaitAsync(stop).ConfigureAwait(false);
                await NextAsync(stop).ConfigureAwait(false);
            }
            catch (OperationCanceledException) when (stop.IsCancellationRequested)
            {
                // The host stops between two runs.
            }
            catch (Exception exception)
            {
                // Nobody expected it, and so nobody knows that it would not pass.
                service.Status.Enter(WorkPhase.BackingOff);
                periodicLog.LoopFailed(exception);
                failures.Failed(exception);
                await Task.Delay(FailureDelay, time, stop).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }
        }

        service.Status.Enter(WorkPhase.Stopped);
    }

    private async Task NextAsync(CancellationToken stop)
    {
        var now = time.GetUtcNow();
        var slot = service.Schedule.LastDue(now);

        // A slot that is done and far ahead was done by a clock that was: the store says whether it is remembered still.
        if (slot <= _done && !PeriodicSchedule.IsAhead(_done.Value, now))
        {
            await WaitForAsync(service.Schedule.DueAt(service.Schedule.After(_done.Value)), stop).ConfigureAwait(false);
        }
        else if (await TryRunAsync(slot, stop).ConfigureAwait(false))
        {
            _done = slot;
        }
    }

    /// <returns>Whether the slot is over, on this node or another.</returns>
    private async Task<bool> TryRunAsync(DateTimeOffset slot, CancellationToken stop)
    {
        using var turn = service.Switch.TryBegin();
        if (turn is null)
        {
            return false;
        }

        using var ending = CancellationTokenSource.CreateLinkedTokenSource(stop, turn.Contending);
        OccurrenceAttempt attempt;
        try
        {
            attempt = await AskAsync(slot, ending.Token).ConfigureAwait(false);
            _isRefused = false;
        }
        catch (OperationCanceledException) when (turn.Contending.IsCancellationRequested && !stop.IsCancellationRequested)
        {
            return false;
        }
        catch (LockStoreException away) when (away.IsTransient)
        {
            await Task.Delay(RetryDelay, time, ending.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            return false;
        }
        catch (Exception refusal) when (refusal is LockStoreException or ArgumentException)
        {
            await BackOffAsync(refusal, ending.Token).ConfigureAwait(false);
            return false;
        }

        if (PeriodicRunName.Parse(attempt.Run)?.Previous is { } previous)
        {
            service.ClusterFailures.Ended(previous);
        }

        if (attempt.Lease is not { } lease)
        {
            if (attempt.Status == OccurrenceStatus.AlreadyRun && IsSilencedByFuture(slot, attempt.Run))
            {
                // It may be run as soon as what is remembered is forgotten.
                await WaitForAsync(service.Schedule.DueAt(service.Schedule.After(slot)), ending.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
                return false;
            }

            return attempt.Status == OccurrenceStatus.AlreadyRun;
        }

        if (ending.IsCancellationRequested)
        {
            // It came in the moment of the stop or of the drain, and its run does not begin: the slot is for another node.
            await occurrences.UndoAsync(lease).ConfigureAwait(false);
            return false;
        }

        _asked = null;
        var result = await runs.RunAsync(leased, lease, slot, attempt.Status == OccurrenceStatus.Recovering, stop, turn).ConfigureAwait(false);
        return result.End is WorkEnd.Completed or WorkEnd.Failed;
    }

    private async Task<OccurrenceAttempt> AskAsync(DateTimeOffset slot, CancellationToken stop)
    {
        var occurrence = _asked = _asked is { } asked && asked.Time == slot ? asked : new Occurrence
        {
            Series = service.Series,
            Time = slot,
            Run = PeriodicRunName.Create(nodeId, slot, service.LastEnd),
            RememberFor = service.RememberFor,
            Recover = service.Options.RecoverInterrupted,
        };
        var attempt = await occurrences.TryAcquireAsync(service.LockName, service.Options.LockOptions, occurrence, stop).ConfigureAwait(false);
        return attempt is { Lease: not null } or { Status: OccurrenceStatus.AlreadyRun }
            ? attempt

            // Another node runs it, and may die of it; or a run before it takes longer than the interval.
            : await occurrences.AcquireAsync(service.LockName, service.Options.LockOptions, occurrence, UntilNext(slot), stop).ConfigureAwait(false);
    }

    /// <summary>What does not pass by itself, such as a wrong password: somebody may correct it while the host runs.</summary>
    private async Task BackOffAsync(Exception refusal, CancellationToken stop)
    {
        service.Status.Enter(WorkPhase.BackingOff);
        if (!_isRefused)
        {
            periodicLog.Refused(refusal);
        }

        _isRefused = true;
        failures.Failed(refusal);
        await Task.Delay(FailureDelay, time, stop).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }

    /// <summary>Whether a slot counts as run only because one was that is not due for long. Warns of it: else nothing would say why nothing is run until then.</summary>
    private bool IsSilencedByFuture(DateTimeOffset slot, string? run)
    {
        if (PeriodicRunName.Parse(run) is not { Slot: { } remembered } other || !PeriodicSchedule.IsAhead(remembered, time.GetUtcNow()))
        {
            return false;
        }

        periodicLog.RememberedSlotIsAhead(slot, remembered, other.NodeId);
        return true;
    }

    private TimeSpan UntilNext(DateTimeOffset slot)
    {
        var next = service.Schedule.DueAt(service.Schedule.After(slot)) - time.GetUtcNow();
        return next < TimeSpan.Zero ? TimeSpan.Zero : next < LongestWait ? next : LongestWait;
    }

    private Task WaitForAsync(DateTimeOffset due, CancellationToken stop)
    {
        var wait = due - time.GetUtcNow();
        return wait <= TimeSpan.Zero ? Task.CompletedTask : Task.Delay(wait < LongestWait ? wait : LongestWait, time, stop);
    }
}
