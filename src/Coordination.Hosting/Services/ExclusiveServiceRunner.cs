using Coordination.Hosting.Leadership;
using Coordination.Hosting.Telemetry;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Polly;

namespace Coordination.Hosting.Services;

/// <summary>
/// Drives one exclusive service through its terms: stand by, lead, await the work, release, and again, until the host stops.
/// </summary>
/// <remarks>Two rules stand above all else: the lock is never released while the work is running, and nothing but the host's stop ends the loop.</remarks>
internal sealed class ExclusiveServiceRunner : IHostedLifecycleService, IDisposable
{
    private readonly ExclusiveService _service;
    private readonly ExclusiveBackgroundService _work;
    private readonly LeaderObserver _observer;
    private readonly IHostApplicationLifetime _lifetime;
    private readonly TimeProvider _time;
    private readonly ServiceLog _log;
    private readonly ResiliencePipeline<TermOutcome> _restart;

    private readonly CancellationTokenSource _stopping = new();
    private readonly CancellationTokenRegistration _applicationStopping;
    private Task _run = Task.CompletedTask;
    private string? _refusal;

    public ExclusiveServiceRunner(
        ExclusiveService service,
        ExclusiveBackgroundService work,
        LeaderQuestions questions,
        IHostApplicationLifetime lifetime,
        TimeProvider time,
        ILogger logger)
    {
        _service = service;
        _work = work;
        _lifetime = lifetime;
        _time = time;
        _log = new ServiceLog(logger, service);
        _observer = new LeaderObserver(service.Leadership, questions, service.LeaseDuration, time, _log);
        _restart = RestartBackoff.Create(service.Options, time);

        // It comes before StopAsync, maybe long before: a node that is stopping does not begin a term.
        _applicationStopping = lifetime.ApplicationStopping.UnsafeRegister(static runner => _ = ((ExclusiveServiceRunner)runner!).TellToStopAsync(), this);
    }

    public Task StartingAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    // Contends only when every service of the host has started: a node that fails to start never led.
    public Task StartedAsync(CancellationToken cancellationToken)
    {
        // It lives as long as the host, and keeps nothing of whoever starts that.
        using (ExecutionContext.SuppressFlow())
        {
            _run = Task.Run(() => RunAsync(_stopping.Token), CancellationToken.None);
        }

        return Task.CompletedTask;
    }

    public Task StoppingAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public async Task StopAsync(CancellationToken cancellationToken)
    {
        _ = TellToStopAsync();
        await _run.WaitAsync(cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        if (!_run.IsCompleted)
        {
            _log.StillRunning();
        }
    }

    public Task StoppedAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    /// <summary>Ends the loop of a host that is disposed without having been stopped.</summary>
    public void Dispose()
    {
        _applicationStopping.Dispose();
        _ = TellToStopAsync();
    }

    private async Task TellToStopAsync()
    {
        try
        {
            // The token turns cancelled here and now; callbacks go to the pool, where they cannot hold up the host.
            await _stopping.CancelAsync().ConfigureAwait(false);
        }
        catch (AggregateException exception)
        {
            // A callback that the work had registered on its token threw. The work is awaited all the same.
            _log.StopCallbackFailed(exception);
        }
    }

    private async Task RunAsync(CancellationToken stop)
    {
        try
        {
            _observer.Start(stop);
            while (!stop.IsCancellationRequested)
            {
                var outcome = await _restart.ExecuteAsync(NextTermAsync, stop).ConfigureAwait(false);
                if (outcome.IsFailure)
                {
                    // The first failure after a good run.
                    await Task.Delay(RestartBackoff.Delay(_service.Options, failuresBefore: 0), _time, stop).ConfigureAwait(false);
                }
            }
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested)
        {
            // The host stops while the service stays away.
        }
        finally
        {
            await _observer.StopAsync().ConfigureAwait(false);
            _service.Leadership.End();
        }
    }

    private async ValueTask<TermOutcome> NextTermAsync(CancellationToken stop)
    {
        var outcome = await ContendAsync(stop).ConfigureAwait(false);
        if (outcome.End == TermEnd.Completed && _service.Options.AfterCompletion == AfterCompletion.Pause)
        {
            _service.Leadership.Enter(ServicePhase.Pausing);
            await Task.Delay(_service.Options.CompletionPause, _time, stop).ConfigureAwait(false);
        }
        else if (outcome.End == TermEnd.Completed && _service.Options.AfterCompletion == AfterCompletion.Never)
        {
            _service.Leadership.Enter(ServicePhase.Completed);
            _log.Completed();
            await Task.Delay(Timeout.InfiniteTimeSpan, _time, stop).ConfigureAwait(false);
        }

        return outcome;
    }

    /// <summary>Stands by and does one term. Throws nothing, whatever the work or the store does.</summary>
    private async Task<TermOutcome> ContendAsync(CancellationToken stop)
    {
        var began = _time.GetTimestamp();
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
            return new TermOutcome(TermEnd.Stopped, _time.GetElapsedTime(began));
        }
        catch (Exception exception)
        {
            // What does not pass by itself, such as a wrong password: somebody may correct it while the host runs.
            var waited = _time.GetElapsedTime(began);
            _service.Leadership.Enter(ServicePhase.BackingOff);
            Refused(exception, waited);
            return new TermOutcome(TermEnd.Refused, waited);
        }
    }

    private async Task<ILockLease> StandByAsync(CancellationToken stop)
    {
        _service.Leadership.Enter(ServicePhase.Standby);
        if (_refusal is null)
        {
            _log.StandsBy();
        }

        var lease = await _service.Lock.AcquireAsync(stop).ConfigureAwait(false);
        await _observer.StopAsync().ConfigureAwait(false);
        return lease;
    }

    private async Task<TermOutcome> DeclineAsync(ILockLease lease)
    {
        var release = await lease.ReleaseAsync(CancellationToken.None).ConfigureAwait(false);
        _log.Declined(lease, release);
        return new TermOutcome(TermEnd.Stopped, TimeSpan.Zero);
    }

    private async Task<TermOutcome> LeadAsync(ILockLease lease, CancellationToken stop)
    {
        var began = _time.GetTimestamp();
        _service.Leadership.Lead(lease);
        _log.Leads(lease);

        var (end, failure) = await WorkAsync(lease, stop).ConfigureAwait(false);
        var outcome = new TermOutcome(end, _time.GetElapsedTime(began));

        // Nobody sees this node lead after the next one does.
        _service.Leadership.Enter(outcome.IsFailure ? ServicePhase.BackingOff : ServicePhase.Standby);
        var release = await lease.ReleaseAsync(CancellationToken.None).ConfigureAwait(false);
        _observer.Start(stop);
        _log.Ended(lease, outcome, release, failure);
        return outcome;
    }

    private async Task<(TermEnd End, Exception? Failure)> WorkAsync(ILockLease lease, CancellationToken stop)
    {
        // Disposing it waits for callbacks that the work registered, which are work as well.
        using var term = CancellationTokenSource.CreateLinkedTokenSource(lease.Lost, stop);

        // On the pool, so that work which blocks before its first await blocks nobody else.
        var work = Task.Run(() => _work.RunTermAsync(lease, term.Token), CancellationToken.None);
        try
        {
            await WatchForLossAsync(lease, work, stop).ConfigureAwait(false);
        }
        finally
        {
            // Whatever happens here, the lease is there until the work has returned, and renewals go on. Not on the thread of the
            // work, which may be that of such a callback and cannot wait for itself.
            await work.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing | ConfigureAwaitOptions.ForceYielding);
        }

        return await JudgeAsync(work, lease, stop).ConfigureAwait(false);
    }

    private static async Task<(TermEnd End, Exception? Failure)> JudgeAsync(Task work, ILockLease lease, CancellationToken stop)
    {
        // Not the token of the term, which follows these two with a delay: the work may have heard of it from them.
        var isLost = lease.Lost.IsCancellationRequested;
        var wasTold = isLost || stop.IsCancellationRequested;
        try
        {
            await work.ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (wasTold)
        {
            // The work was told to stop, and did.
        }
        catch (Exception exception)
        {
            // Whatever the user's work throws ends its term, and is told by who runs the terms.
            return (TermEnd.Failed, exception);
        }

        if (isLost)
        {
            return (TermEnd.Lost, null);
        }

        return (wasTold ? TermEnd.Stopped : TermEnd.Completed, null);
    }

    /// <summary>Completes when the work has returned. Tells of the loss of the lease, and of work that goes on in spite of it.</summary>
    private async Task WatchForLossAsync(ILockLease lease, Task work, CancellationToken stop)
    {
        await work.WaitAsync(lease.Lost).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        if (!lease.Lost.IsCancellationRequested)
        {
            return;
        }

        _service.Leadership.Enter(ServicePhase.Lost);
        _log.Lost(lease);
        _observer.Start(stop);

        var lostAt = _time.GetTimestamp();
        var patience = _service.OverdueAfter;
        while (true)
        {
            await work.WaitAsync(patience, _time, CancellationToken.None).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            if (work.IsCompleted)
            {
                return;
            }

            _service.Leadership.Enter(ServicePhase.Overdue);
            _log.Overdue(lease, _time.GetElapsedTime(lostAt));
            if (_service.Options.StopHostWhenOverdue && !_lifetime.ApplicationStopping.IsCancellationRequested)
            {
                _log.StopsHost(lease);
                _lifetime.StopApplication();
            }

            patience = _service.Options.OverdueWarningInterval;
        }
    }

    private void Refused(Exception exception, TimeSpan waited)
    {
        // A wait that outlasted a lease was not refused at first, so this is news. The same refusal at every try is not.
        var refusal = $"{exception.GetType().Name}: {exception.Message}";
        if (refusal != _refusal || waited > _service.LeaseDuration)
        {
            _refusal = refusal;
            _observer.Forget();
            _log.Refused(refusal);
        }
    }
}
