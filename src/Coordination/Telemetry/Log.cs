using Microsoft.Extensions.Logging;

namespace Coordination.Telemetry;

/// <summary>What this library logs: one line for each change of state. Event ids 1000 to 1099 are stable.</summary>
internal static partial class Log
{
    [LoggerMessage(1000, LogLevel.Debug, "Lock {LockName} granted to {Owner} with fencing token {FencingToken}.")]
    public static partial void Granted(ILogger logger, string lockName, LockOwner owner, long fencingToken);

    [LoggerMessage(1001, LogLevel.Debug, "Lock {LockName} released by {Owner}, fencing token {FencingToken}, after {HeldFor}.")]
    public static partial void Released(ILogger logger, string lockName, LockOwner owner, long fencingToken, TimeSpan heldFor);

    [LoggerMessage(1002, LogLevel.Warning, "The lease of lock {LockName}, owner {Owner}, fencing token {FencingToken}, is in doubt until a renewal is confirmed. It can be relied on for {Remaining} more.")]
    public static partial void InDoubt(ILogger logger, string lockName, LockOwner owner, long fencingToken, TimeSpan remaining);

    [LoggerMessage(1003, LogLevel.Information, "The lease of lock {LockName}, owner {Owner}, fencing token {FencingToken}, is renewed again.")]
    public static partial void Recovered(ILogger logger, string lockName, LockOwner owner, long fencingToken);

    [LoggerMessage(1004, LogLevel.Error, "The lease of lock {LockName}, owner {Owner}, fencing token {FencingToken}, is lost after {HeldFor}: {Reason}, for {Cause}.")]
    public static partial void Lost(ILogger logger, string lockName, LockOwner owner, long fencingToken, TimeSpan heldFor, LeaseLossReason reason, string cause);

    [LoggerMessage(1005, LogLevel.Warning, "Lock {LockName} could not be released by {Owner}, fencing token {FencingToken}: {Error} It lapses by itself within its lease.")]
    public static partial void ReleaseFailed(ILogger logger, string lockName, LockOwner owner, long fencingToken, string error);

    [LoggerMessage(1006, LogLevel.Error, "A callback on the loss of lock {LockName} threw.")]
    public static partial void LostCallbackThrew(ILogger logger, Exception exception, string lockName);

    [LoggerMessage(1007, LogLevel.Warning, "Lock {LockName}, fencing token {FencingToken}, was revoked by an operator.")]
    public static partial void Revoked(ILogger logger, string lockName, long fencingToken);

    [LoggerMessage(1008, LogLevel.Warning, "{Count} undos were dropped, because more than {Capacity} waited for the lock store. What they were for lapses by itself within its lease.")]
    public static partial void UndosDropped(ILogger logger, long count, int capacity);

    [LoggerMessage(1009, LogLevel.Information, "The lease of lock {LockName}, owner {Owner}, fencing token {FencingToken}, reached its MaxHold and ended after {HeldFor}.")]
    public static partial void MaxHoldReached(ILogger logger, string lockName, LockOwner owner, long fencingToken, TimeSpan heldFor);

    [LoggerMessage(1010, LogLevel.Warning, "The lock store {Store} does not reply{Part}: {Error}")]
    public static partial void OutageBegan(ILogger logger, string store, string part, string error);

    [LoggerMessage(1011, LogLevel.Warning, "The lock store {Store} has not replied for {Elapsed}{Part}: {Error}")]
    public static partial void OutageGoesOn(ILogger logger, string store, TimeSpan elapsed, string part, string error);

    [LoggerMessage(1012, LogLevel.Information, "The lock store {Store} replies again, after {Elapsed}.")]
    public static partial void OutageEnded(ILogger logger, string store, TimeSpan elapsed);

    [LoggerMessage(1013, LogLevel.Error, "The lock store {Store} refuses: {Error}")]
    public static partial void StoreRefuses(ILogger logger, string store, string error);

    [LoggerMessage(1014, LogLevel.Warning, "The lease of lock {LockName}, owner {Owner}, fencing token {FencingToken}, is not renewed: its holder reported no progress for more than {ProgressTimeout}. It can be relied on for {Remaining} more.")]
    public static partial void Stalled(ILogger logger, string lockName, LockOwner owner, long fencingToken, TimeSpan progressTimeout, TimeSpan remaining);

    [LoggerMessage(1015, LogLevel.Information, "The holder of lock {LockName}, owner {Owner}, fencing token {FencingToken}, reported progress. Its lease is renewed again.")]
    public static partial void Resumed(ILogger logger, string lockName, LockOwner owner, long fencingToken);

    [LoggerMessage(1016, LogLevel.Information, "The holder of lock {LockName}, owner {Owner}, fencing token {FencingToken}, is asked by an operator to step down{Successor}.")]
    public static partial void StepDownAsked(ILogger logger, string lockName, LockOwner owner, long fencingToken, string successor);

    [LoggerMessage(1017, LogLevel.Error, "A callback on the request to step down from lock {LockName} threw.")]
    public static partial void StepDownCallbackThrew(ILogger logger, Exception exception, string lockName);

    [LoggerMessage(1018, LogLevel.Warning, "A lock cannot be worked on for now, and is asked for again: {Error}")]
    public static partial void LockIsBusy(ILogger logger, string error);

    [LoggerMessage(1020, LogLevel.Critical, "The watchdog met an error of its own and goes on.")]
    public static partial void WatchdogFault(ILogger logger, Exception exception);

    [LoggerMessage(1021, LogLevel.Warning, "This node cannot listen to the lock store {Store}: {Error} It learns of a free lock when it asks, and of a revoked one when it renews.")]
    public static partial void CannotListen(ILogger logger, string store, string error);

    [LoggerMessage(1022, LogLevel.Warning, "A log, metrics or trace sink threw, {Count} times by now: {Error} What it was told is lost; locks and leases go on.")]
    public static partial void SinkThrew(ILogger logger, long count, string error);

    [LoggerMessage(1023, LogLevel.Warning, "{Count} log lines and measurements were dropped, because a sink was too slow.")]
    public static partial void TelemetryDropped(ILogger logger, long count);

    [LoggerMessage(1024, LogLevel.Warning, "The wall clock ran {Ahead} ahead of the monotonic clock: this machine was suspended, or its clock was set. All leases are renewed before they are relied on.")]
    public static partial void Suspended(ILogger logger, TimeSpan ahead);

    [LoggerMessage(1030, LogLevel.Information, "Durations in effect: {Durations}.")]
    public static partial void DurationsInEffect(ILogger logger, string durations);

    [LoggerMessage(1031, LogLevel.Warning, "The configuration has {Key}, and nothing reads it. What may stand there: {Keys}.")]
    public static partial void KeyUnknown(ILogger logger, string key, string keys);

    [LoggerMessage(1032, LogLevel.Warning, "The server of the lock store could not be examined at start and will be when it is back, before the first lock: {Reason}")]
    public static partial void ExaminationDeferred(ILogger logger, string reason);

    [LoggerMessage(1033, LogLevel.Information, "The start was cancelled before the server of the lock store was examined.")]
    public static partial void ExaminationCancelled(ILogger logger);

    [LoggerMessage(1040, LogLevel.Information, "The services of this host have {ShutdownTimeout} to stop, so that its locks are released in the {Grace} that the platform gives it. Set HostOptions.ShutdownTimeout for another time.")]
    public static partial void StopShortened(ILogger logger, TimeSpan shutdownTimeout, TimeSpan grace);

    [LoggerMessage(1041, LogLevel.Warning, "A stop of this host may take {Needed} (HostOptions.ShutdownTimeout {ShutdownTimeout}, then {After}), and the platform kills it after {Grace}: locks that are not released by then pass on only when their leases have run out. Set HostOptions.ShutdownTimeout to {Fitting} or less, or raise terminationGracePeriodSeconds, and Coordination:TerminationGracePeriod with it.")]
    public static partial void StopDoesNotFit(ILogger logger, string needed, TimeSpan shutdownTimeout, string after, TimeSpan grace, TimeSpan fitting);
}
