using System.Runtime.ExceptionServices;
using Coordination.Hosting.Execution;
using Coordination.Hosting.Telemetry;
using Coordination.Occurrences;
using Coordination.Stores;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Coordination.Hosting.RunOnce;

/// <summary>A step of the host's start that one node of the cluster does, once, and the others wait for.</summary>
internal sealed class RunOnceStep(
    ILock @lock,
    string name,
    Func<RunOnceContext, CancellationToken, Task> work,
    RunOnceOptions options,
    OccurrenceLocks occurrences,
    string nodeId,
    IServiceScopeFactory scopes,
    TimeProvider time,
    ILogger logger) : IHostedLifecycleService
{
    /// <summary>The same on every node, and for ever: it is run once.</summary>
    private static readonly DateTimeOffset Moment = new(2000, 1, 1, 0, 0, 0, TimeSpan.Zero);

    private static readonly TimeSpan RetryDelay = TimeSpan.FromSeconds(1);

    public static string LockNameOf(string name) => "run-once/" + name;

    /// <summary>Before any other part of the host begins to work.</summary>
    public async Task StartingAsync(CancellationToken cancellationToken)
    {
        try
        {
            while (!await TryAsync(cancellationToken).ConfigureAwait(false))
            {
                // The lease was lost. Whoever has the lock next goes on.
            }
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            // Whoever cancels the start of a host wants it to end, which is no failure.
            logger.RunOnceCancelled(name);
        }
    }

    public Task StartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StartedAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StoppingAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StoppedAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    /// <returns>Whether it is done.</returns>
    private async Task<bool> TryAsync(CancellationToken cancellationToken)
    {
        var attempt = await AcquireAsync(cancellationToken).ConfigureAwait(false);
        if (attempt.Lease is not { } lease)
        {
            logger.RunOnceWasDone(name);
            return true;
        }

        var (begun, isRecovery) = (time.GetTimestamp(), attempt.Status == OccurrenceStatus.Recovering);
        logger.RunOnceBegins(name, @lock.Name, lease.FencingToken, isRecovery);
        var (end, failure) = await LeasedWork.RunAsync(
            lease, scopes, (services, told) => work(new RunOnceContext(lease.AsReadOnly(), services, isRecovery), told), cancellationToken).ConfigureAwait(false);
        var duration = time.GetElapsedTime(begun);
        switch (end)
        {
            case WorkEnd.Completed:
                await lease.ReleaseAsync(CancellationToken.None).ConfigureAwait(false);
                logger.RunOnceDone(name, duration, options.RememberFor);
                return true;
            case WorkEnd.Lost:
                await lease.ReleaseAsync(CancellationToken.None).ConfigureAwait(false);
                logger.RunOnceLost(name, duration, lease.LossReason);
                return false;
            default:
                // Another node may try, at once.
                await occurrences.ReleaseUnfinishedAsync(lease).ConfigureAwait(false);
                cancellationToken.ThrowIfCancellationRequested();
                ExceptionDispatchInfo.Throw(failure!);
                return false;
        }
    }

    /// <summary>Waits until the lock is this node's, or the work is done.</summary>
    private async Task<OccurrenceAttempt> AcquireAsync(CancellationToken cancellationToken)
    {
        var occurrence = new Occurrence { Series = "run-once", Time = Moment, Run = $"{nodeId}/{Guid.NewGuid():n}", RememberFor = options.RememberFor, Recover = true };
        var hasWaited = false;
        while (true)
        {
            try
            {
                var attempt = hasWaited
                    ? await occurrences.AcquireAsync(@lock.Name, options.LockOptions, occurrence, Timeout.InfiniteTimeSpan, cancellationToken).ConfigureAwait(false)
                    : await occurrences.TryAcquireAsync(@lock.Name, options.LockOptions, occurrence, cancellationToken).ConfigureAwait(false);
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
                logger.RunOnceWaits(name);
                hasWaited = true;
            }
        }
    }
}
