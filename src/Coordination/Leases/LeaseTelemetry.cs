using Coordination.Telemetry;
using Microsoft.Extensions.Logging;

namespace Coordination.Leases;

/// <summary>Says in logs, metrics and traces what happens to leases.</summary>
internal sealed class LeaseTelemetry(ILogger<ILockLease> logger, CoordinationMetrics metrics)
{
    public void Granted(Lease lease)
    {
        metrics.LeaseGranted();
        Log.Granted(logger, lease.Grant.LockName, lease.Grant.Owner, lease.Grant.FencingToken);
    }

    public void StateChanged(Lease lease, LeaseState before, LeaseState after, LeaseLossReason? reason)
    {
        var grant = lease.Grant;
        switch (after)
        {
            case LeaseState.Held:
                Log.Recovered(logger, grant.LockName, grant.Owner, grant.FencingToken);
                break;
            case LeaseState.InDoubt:
                Log.InDoubt(logger, grant.LockName, grant.Owner, grant.FencingToken, lease.Remaining);
                break;
            case LeaseState.Lost:
                Log.Lost(logger, grant.LockName, grant.Owner, grant.FencingToken, lease.HeldFor, reason ?? LeaseLossReason.DeadlinePassed);
                break;
            case LeaseState.Released:
                Log.Released(logger, grant.LockName, grant.Owner, grant.FencingToken, lease.HeldFor);
                break;
            default:
                throw new ArgumentOutOfRangeException(nameof(after), after, $"A lease cannot go from {before} to an unknown state.");
        }

        if (after is LeaseState.Lost or LeaseState.Released)
        {
            metrics.LeaseEnded(lease.HeldFor, reason);
            CoordinationActivities.EndHold(lease.Activity, reason);
        }
    }

    public void RenewalConfirmed(Lease lease) => metrics.RenewalConfirmed(lease.Remaining);

    public static void RenewalFailed(Lease lease, Exception error) => CoordinationActivities.RenewalFailed(lease.Activity, error);

    public void ReleaseFailed(Lease lease, Exception error) =>
        Log.ReleaseFailed(logger, lease.Grant.LockName, lease.Grant.Owner, lease.Grant.FencingToken, error.Message);

    /// <summary>Sees to it that an exception from a callback on a loss is logged, and goes nowhere else.</summary>
    public void ObserveCallbacks(Lease lease, Task callbacks) => callbacks.ContinueWith(
        task => Log.LostCallbackThrew(logger, task.Exception!, lease.Grant.LockName),
        CancellationToken.None,
        TaskContinuationOptions.OnlyOnFaulted | TaskContinuationOptions.ExecuteSynchronously,
        TaskScheduler.Default);
}
