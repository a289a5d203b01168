using System.Diagnostics;
using Coordination.Nodes;
using Coordination.Telemetry;
using Microsoft.Extensions.Logging;

namespace Coordination.Leases;

/// <summary>Says in logs, metrics and traces what happens to leases.</summary>
internal sealed class LeaseTelemetry(ILogger<ILockLease> sink, CoordinationMetrics metrics, TelemetryDispatcher dispatcher)
{
    /// <summary>After how many dropped undos the next line comes, as a multiple of the last one's count.</summary>
    private const int UndoLines = 10;

    private readonly ILogger _logger = dispatcher.Wrap(sink);
    private long _undosSaid;

    /// <summary>When this process did not run.</summary>
    public Stalls Stalls { get; } = new();

    /// <returns>The trace of the hold; null when nobody listens.</returns>
    public HoldTrace? Granted(LeaseGrant grant, ActivityContext parent)
    {
        metrics.LeaseGranted();
        Log.Granted(_logger, grant.LockName, grant.Owner, grant.FencingToken);
        if (!dispatcher.Tell(grant, static _ => CoordinationActivities.HasListeners, false))
        {
            return null;
        }

        var trace = new HoldTrace(dispatcher);
        trace.Begin(grant.LockName, grant.Owner, grant.FencingToken, parent);
        return trace;
    }

    public void StateChanged(LeaseGrant grant, HoldTrace? hold, LeaseState before, LeaseMoment after, TimeSpan remaining, TimeSpan heldFor, TimeSpan now)
    {
        LossCause? cause = after is { State: LeaseState.Lost, LossReason: LeaseLossReason.DeadlinePassed } ? LossCause.Of(after.Deadline, Stalls, now) : null;
        switch (after.State)
        {
            case LeaseState.Held:
                Log.Recovered(_logger, grant.LockName, grant.Owner, grant.FencingToken);
                break;
            case LeaseState.InDoubt:
                Log.InDoubt(_logger, grant.LockName, grant.Owner, grant.FencingToken, remaining);
                break;
            case LeaseState.Lost when after.LossReason == LeaseLossReason.MaxHoldReached:
                // Whoever set it asked for that.
                Log.MaxHoldReached(_logger, grant.LockName, grant.Owner, grant.FencingToken, heldFor);
                break;
            case LeaseState.Lost:
                var reason = after.LossReason ?? LeaseLossReason.DeadlinePassed;
                Log.Lost(_logger, grant.LockName, grant.Owner, grant.FencingToken, heldFor, reason, cause?.ToString() ?? Describe(reason));
                break;
            case LeaseState.Released:
                Log.Released(_logger, grant.LockName, grant.Owner, grant.FencingToken, heldFor);
                break;
            default:
                throw new ArgumentOutOfRangeException(nameof(after), after.State, $"A lease cannot go from {before} to an unknown state.");
        }

        if (!after.IsActive)
        {
            metrics.LeaseEnded(heldFor, after.LossReason);
            hold?.End(heldFor, after.LossReason, cause?.Tag);
        }
    }

    public void RenewalEnded(TimeSpan took, bool succeeded) => metrics.RenewalEnded(took, succeeded);

    public void RenewalConfirmed(TimeSpan remaining) => metrics.RenewalConfirmed(remaining);

    public void ReleaseFailed(LeaseGrant grant, Exception error) =>
        Log.ReleaseFailed(_logger, grant.LockName, grant.Owner, grant.FencingToken, error.Message);

    /// <summary>Counts the undos that were dropped, and says so: at once, and each time that there are ten times as many.</summary>
    public void UndosDropped(PendingUndos undos)
    {
        var (dropped, said) = (undos.Dropped, Interlocked.Read(ref _undosSaid));
        metrics.UndosDropped(dropped);
        if (dropped > 0 && dropped >= UndoLines * said && Interlocked.CompareExchange(ref _undosSaid, dropped, said) == said)
        {
            Log.UndosDropped(_logger, dropped, undos.Capacity);
        }
    }

    public void Suspended(TimeSpan ahead) => Log.Suspended(_logger, ahead);

    public void WatchdogFault(Exception error) => Log.WatchdogFault(_logger, error);

    private static string Describe(LeaseLossReason reason) => reason switch
    {
        LeaseLossReason.NotOwner => "the store knows of no such grant any more",
        LeaseLossReason.MaxHoldReached => "it was to be held no longer",
        LeaseLossReason.Abandoned => "nobody refers to its handle any more",
        LeaseLossReason.Revoked => "an operator took the lock",
        LeaseLossReason.ProviderDisposed => "the provider was disposed",
        _ => "its deadline has come",
    };

    /// <summary>Sees to it that an exception from a callback on a loss is logged, and goes nowhere else.</summary>
    public void ObserveCallbacks(LeaseGrant grant, Task callbacks) => Observe(callbacks, error => Log.LostCallbackThrew(_logger, error, grant.LockName));

    /// <summary>As <see cref="ObserveCallbacks"/>, of callbacks on a request to step down.</summary>
    public void ObserveStepDownCallbacks(LeaseGrant grant, Task callbacks) => Observe(callbacks, error => Log.StepDownCallbackThrew(_logger, error, grant.LockName));

    private static void Observe(Task callbacks, Action<Exception> threw) => callbacks.ContinueWith(
        task => threw(task.Exception!),
        CancellationToken.None,
        TaskContinuationOptions.OnlyOnFaulted | TaskContinuationOptions.ExecuteSynchronously,
        TaskScheduler.Default);
}
