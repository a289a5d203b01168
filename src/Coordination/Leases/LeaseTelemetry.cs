using System.Diagnostics;
using Coordination.Telemetry;
using Microsoft.Extensions.Logging;

namespace Coordination.Leases;

/// <summary>Says in logs, metrics and traces what happens to leases.</summary>
internal sealed class LeaseTelemetry(ILogger<ILockLease> logger, CoordinationMetrics metrics)
{
    public void Granted(Lease lease, ActivityContext trace)
    {
        var grant = lease.Grant;
        lease.Activity = CoordinationActivities.StartHold(grant.LockName, grant.Owner, grant.FencingToken, trace);
        metrics.LeaseGranted();
        Log.Granted(logger, grant.LockName, grant.Owner, grant.FencingToken);
    }

    public void StateChanged(Lease lease, LeaseState before, LeaseMoment after)
    {
        var grant = lease.Grant;
        switch (after.State)
        {
            case LeaseState.Held:
                Log.Recovered(logger, grant.LockName, grant.Owner, grant.FencingToken);
                break;
            case LeaseState.InDoubt:
                Log.InDoubt(logger, grant.LockName, grant.Owner, grant.FencingToken, lease.Remaining);
                break;
            case LeaseState.Lost:
                Log.Lost(logger, grant.LockName, grant.Owner, grant.FencingToken, lease.HeldFor, after.LossReason ?? LeaseLossReason.DeadlinePassed);
                break;
            case LeaseState.Released:
                Log.Released(logger, grant.LockName, grant.Owner, grant.FencingToken, lease.HeldFor);
                break;
            default:
                throw new ArgumentOutOfRangeException(nameof(after), after.State, $"A lease cannot go from {before} to an unknown state.");
        }

        if (!after.IsActive)
        {
            metrics.LeaseEnded(lease.HeldFor, after.LossReason);
            CoordinationActivities.EndHold(lease.Activity, after.LossReason);
        }
    }

    public void RenewalEnded(TimeSpan took, bool succeeded) => metrics.RenewalEnded(took, succeeded);

    public void RenewalConfirmed(Lease lease) => metrics.RenewalConfirmed(lease.Remaining);

    public static void RenewalFailed(Lease lease, Exception error) => CoordinationActivities.RenewalFailed(lease.Activity, error);

    public void ReleaseFailed(Lease lease, Exception error) =>
        Log.ReleaseFailed(logger, lease.Grant.LockName, lease.Grant.Owner, lease.Grant.FencingToken, error.Message);

    public void WatchdogFault(Exception error) => Log.WatchdogFault(logger, error);

    /// <summary>Sees to it that an exception from a callback on a loss is logged, and goes nowhere else.</summary>
    public void ObserveCallbacks(Lease lease, Task callbacks) => callbacks.ContinueWith(
        task => Log.LostCallbackThrew(logger, task.Exception!, lease.Grant.LockName),
        CancellationToken.None,
        TaskContinuationOptions.OnlyOnFaulted | TaskContinuationOptions.ExecuteSynchronously,
        TaskScheduler.Default);
}
