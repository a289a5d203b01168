using Coordination.Hosting.Eligibility;
using Coordination.Hosting.Execution;
using Coordination.Hosting.Services;
using Coordination.Hosting.Telemetry;
using Coordination.Occurrences;

namespace Coordination.Hosting.Periodic;

/// <summary>Does single runs of one periodic service, each under a lease, and releases that as the run ended.</summary>
internal sealed class PeriodicRuns(PeriodicService service, OccurrenceLocks occurrences, FailureLimit failures, TimeProvider time, ServiceLog log, PeriodicLog periodicLog)
{
    /// <summary>Completes when the run has returned and the lease is released, if it had one still. Throws nothing of what the run throws.</summary>
    /// <param name="leased">Runs and watches it.</param>
    /// <param name="lease">The lease.</param>
    /// <param name="scheduledFor">The start of its slot; null for a run by hand.</param>
    /// <param name="isRecovery">Whether it takes the place of another.</param>
    /// <param name="stop">Tells it to stop.</param>
    /// <param name="turn">Ends when the lease is lost, and is no one's to wait for after that; null for none.</param>
    public async Task<WorkResult> RunAsync(LeasedWork leased, ILockLease lease, DateTimeOffset? scheduledFor, bool isRecovery, CancellationToken stop, LeadTurn? turn = null)
    {
        using var status = service.Status.Begin();
        var begun = time.GetTimestamp();
        periodicLog.RunBegins(lease, scheduledFor, isRecovery);
        var result = (await leased.RunAsync(
            lease,
            new WorkEnding(lease, log, stop),
            (services, told) => service.Work.BeginAsync(new PeriodicRun(lease.AsReadOnly(), services, scheduledFor, isRecovery), told),
            onLost: () =>
            {
                status.Enter(WorkPhase.Lost);
                turn?.Dispose();
            },
            onOverdue: () => status.Enter(WorkPhase.Overdue)).ConfigureAwait(false)).WithScope();
        ReleaseResult? release = null;
        if (result.End == WorkEnd.Stopped && scheduledFor is not null)
        {
            // It may have returned before it was done, so another node may take the slot, at once.
            await occurrences.ReleaseUnfinishedAsync(lease).ConfigureAwait(false);
        }
        else
        {
            release = await lease.ReleaseAsync(CancellationToken.None).ConfigureAwait(false);
        }

        var duration = time.GetElapsedTime(begun);
        periodicLog.RunEnded(lease, scheduledFor, result, release, duration);
        Count(result, scheduledFor, duration);
        return result;
    }

    private void Count(WorkResult result, DateTimeOffset? scheduledFor, TimeSpan duration)
    {
        if (result.End == WorkEnd.Failed)
        {
            failures.Failed(result.Failure, duration);
        }
        else if (result.End == WorkEnd.Completed)
        {
            failures.Succeeded();
        }
        else
        {
            return;
        }

        var hasFailed = result.End == WorkEnd.Failed;
        if (scheduledFor is { } slot)
        {
            service.LastEnd = new PeriodicRunEnd(slot, hasFailed);
            service.ClusterFailures.Ended(service.LastEnd.Value);
        }
        else if (!hasFailed)
        {
            // A run by hand that goes well ends the row as well: all slots until now are over.
            service.ClusterFailures.Ended(new PeriodicRunEnd(service.Schedule.LastDue(time.GetUtcNow()), hasFailed));
        }
    }
}
