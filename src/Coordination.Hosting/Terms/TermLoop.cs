using Coordination.Hosting.Leadership;
using Coordination.Hosting.Services;
using Coordination.Hosting.Telemetry;
using Microsoft.Extensions.Hosting;
using Polly;

namespace Coordination.Hosting.Terms;

/// <summary>
/// Takes one exclusive service through its terms: stand by, lead, await the work, release, and again, until the host stops.
/// </summary>
/// <remarks>Two rules stand above all else: the lock is never released while the work is running, and nothing but the host's stop ends the loop.</remarks>
internal sealed class TermLoop(
    ExclusiveService service, TermWork work, OverdueWatch watch, LeaderObserver observer, IHostApplicationLifetime? lifetime, TimeProvider time, ServiceLog log)
{
    private readonly ResiliencePipeline<TermOutcome> _restart = RestartBackoff.Create(service.Options, time);
    private string? _refusal;

    /// <summary>Ends when the stop was requested and the work has returned.</summary>
    public async Task RunAsync(CancellationToken stop)
    {
        try
        {
            observer.Start(stop);
            while (!stop.IsCancellationRequested)
            {
                var outcome = await _restart.ExecuteAsync(NextTermAsync, stop).ConfigureAwait(false);
                if (outcome.IsFailure)
                {
                    // The first failure after a good run.
                    await Task.Delay(RestartBackoff.Delay(service.Options, failuresBefore: 0), time, stop).ConfigureAwait(false);
                }
            }
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested)
        {
            // The host stops while the service stays away.
        }
        finally
        {
            await observer.StopAsync().ConfigureAwait(false);
            service.Leadership.End();
        }
    }

    private async ValueTask<TermOutcome> NextTermAsync(CancellationToken stop)
    {
        var outcome = await ContendAsync(stop).ConfigureAwait(false);
        if (outcome.End == TermEnd.Completed && service.Options.AfterCompletion == CompletionAction.Never)
        {
            service.Leadership.Enter(ServicePhase.Completed);
            log.Completed();
            await Task.Delay(Timeout.InfiniteTimeSpan, time, stop).ConfigureAwait(false);
        }

        var away = outcome.End == TermEnd.Completed && service.Options.AfterCompletion == CompletionAction.Pause ? service.Options.CompletionPause : outcome.StayAway;
        if (away > TimeSpan.Zero)
        {
            service.Leadership.Enter(ServicePhase.Pausing);
            await Task.Delay(away, time, stop).ConfigureAwait(false);
        }

        return outcome;
    }

    /// <summary>Stands by and does one term. Throws nothing, whatever the work or the store does.</summary>
    private async Task<TermOutcome> ContendAsync(CancellationToken stop)
    {
        var began = time.GetTimestamp();
        try
        {
            var lease = await StandByAsync(stop).ConfigureAwait(false);
            await using (lease.ConfigureAwait(false))
            {
                _refusal = null;
                return stop.IsCancellationRequested
                    ? await DeclineAsync(lease).ConfigureAwait(false)
                    : await LeadAsync(lease, stop).ConfigureAwait(false);
            }
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested)
        {
            return new TermOutcome(TermEnd.Stopped, time.GetElapsedTime(began));
        }
        catch (Exception exception)
        {
            // What does not pass by itself, such as a wrong password: somebody may correct it while the host runs.
            var outcome = new TermOutcome(TermEnd.Refused, time.GetElapsedTime(began));
            service.Leadership.Enter(ServicePhase.BackingOff);
            Refused(exception, outcome.Duration);
            Count(outcome, exception);
            return outcome;
        }
    }

    private async Task<ILockLease> StandByAsync(CancellationToken stop)
    {
        service.Leadership.Enter(ServicePhase.Standby);
        if (_refusal is null)
        {
            log.StandsBy();
        }

        var lease = await service.Lock.AcquireAsync(stop).ConfigureAwait(false);
        await observer.StopAsync().ConfigureAwait(false);
        return lease;
    }

    private async Task<TermOutcome> DeclineAsync(ILockLease lease)
    {
        var release = await lease.ReleaseAsync(CancellationToken.None).ConfigureAwait(false);
        log.Declined(lease, release);
        return new TermOutcome(TermEnd.Stopped, TimeSpan.Zero);
    }

    private async Task<TermOutcome> LeadAsync(ILockLease lease, CancellationToken stop)
    {
        var began = time.GetTimestamp();
        service.Leadership.Lead(lease);
        log.Leads(lease);

        var ending = new TermEnding(lease, log, stop);
        var result = await WorkAsync(lease, ending, stop).ConfigureAwait(false);
        var outcome = new TermOutcome(result.End, time.GetElapsedTime(began), result.End == TermEnd.SteppedDown ? ending.StayAway : TimeSpan.Zero);

        // Nobody sees this node lead after the next one does.
        service.Leadership.Enter(outcome.IsFailure ? ServicePhase.BackingOff : ServicePhase.Standby, outcome.End);
        var release = await lease.ReleaseAsync(CancellationToken.None).ConfigureAwait(false);
        observer.Start(stop);
        log.Ended(lease, outcome, release, result.Failure);
        Count(outcome, result.Failure);
        return outcome;
    }

    private async Task<TermResult> WorkAsync(ILockLease lease, TermEnding ending, CancellationToken stop)
    {
        // On the pool, so that work which blocks before its first await blocks nobody else.
        var running = Task.Run(() => work.RunAsync(lease, ending), CancellationToken.None);
        try
        {
            await watch.WatchAsync(lease, running, onLost: () => observer.Start(stop)).ConfigureAwait(false);
        }
        finally
        {
            // Whatever happens here, the lease is there until the work has returned, and renewals go on.
            await ((Task)running).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }

        return await running.ConfigureAwait(false);
    }

    /// <summary>Counts the failures in a row, and stops the host when there are as many as it is to end for.</summary>
    private void Count(TermOutcome outcome, Exception? failure)
    {
        var failures = service.Failures.Count(outcome, failure);
        if (outcome.IsFailure && failures >= service.Options.StopHostAfterFailures && lifetime is { ApplicationStopping.IsCancellationRequested: false })
        {
            log.StopsHostAfter(failures);
            lifetime.StopApplication();
        }
    }

    private void Refused(Exception exception, TimeSpan waited)
    {
        // A wait that outlasted a lease was not refused at first, so this is news. The same refusal at every try is not.
        var refusal = $"{exception.GetType().Name}: {exception.Message}";
        if (refusal != _refusal || waited > service.LeaseDuration)
        {
            _refusal = refusal;
            observer.Forget();
            log.Refused(refusal);
        }
    }
}
