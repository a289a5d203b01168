using Coordination.Hosting.Execution;
using Coordination.Hosting.Telemetry;
using Coordination.Occurrences;
using Coordination.Stores;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Coordination.Hosting.Periodic;

/// <summary>Runs one periodic service: waits for the next slot, asks for it, does the work, and again, until the host stops.</summary>
internal sealed class PeriodicRunner : IHostedService, IAsyncDisposable, IDisposable
{
    /// <summary>How long to wait at once for the next slot: the wall clock may be set meanwhile.</summary>
    private static readonly TimeSpan LongestWait = TimeSpan.FromMinutes(1);

    private static readonly TimeSpan RetryDelay = TimeSpan.FromSeconds(1);

    private static readonly TimeSpan RefusedDelay = TimeSpan.FromSeconds(30);

    private static readonly TimeSpan DisposalTimeout = TimeSpan.FromSeconds(30);

    private readonly PeriodicService _service;
    private readonly OccurrenceLocks _occurrences;
    private readonly ILockProvider _locks;
    private readonly IServiceScopeFactory _scopes;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly CancellationTokenSource _stopping = new();
    private readonly CancellationTokenRegistration _started;
    private readonly CancellationTokenRegistration _stop;
    private readonly Lock _gate = new();
    private readonly HashSet<Task> _runs = [];
    private bool _isStarted;
    private bool _isRefused;
    private long _asked;

    public PeriodicRunner(
        PeriodicService service,
        OccurrenceLocks occurrences,
        ILockProvider locks,
        IServiceScopeFactory scopes,
        IHostApplicationLifetime lifetime,
        TimeProvider time,
        ILogger logger)
    {
        _service = service;
        _occurrences = occurrences;
        _locks = locks;
        _scopes = scopes;
        _time = time;
        _logger = logger;

        // A node that fails to start never ran anything.
        _started = lifetime.ApplicationStarted.UnsafeRegister(static runner => ((PeriodicRunner)runner!).Start(), this);
        _stop = lifetime.ApplicationStopping.UnsafeRegister(static runner => ((PeriodicRunner)runner!).TellToStop(), this);
    }

    public Task StartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public async Task StopAsync(CancellationToken cancellationToken)
    {
        TellToStop();
        await AllRuns().WaitAsync(cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        if (!AllRuns().IsCompleted)
        {
            _logger.PeriodicStillRuns(_service.Name, _service.LockName);
        }
    }

    /// <summary>Runs it now, beside its schedule.</summary>
    public async Task RunNowAsync(CancellationToken cancellationToken)
    {
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, _stopping.Token);
        var run = TriggeredAsync(either.Token);
        Track(run);
        try
        {
            await run.ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            throw new OperationCanceledException(cancellationToken);
        }
    }

    /// <summary>Ends what a host left that is disposed without a stop, or before it had stopped. Waits for the work, bounded.</summary>
    public async ValueTask DisposeAsync()
    {
        Dispose();
        await AllRuns().WaitAsync(DisposalTimeout, TimeProvider.System).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }

    public void Dispose()
    {
        _started.Unregister();
        _stop.Unregister();
        TellToStop();
    }

    private void Start()
    {
        lock (_gate)
        {
            if (_isStarted || _stopping.IsCancellationRequested)
            {
                return;
            }

            _isStarted = true;
        }

        // It lives as long as the host, and keeps nothing of whoever starts that.
        using (ExecutionContext.SuppressFlow())
        {
            Track(Task.Run(() => RunAsync(_stopping.Token), CancellationToken.None));
        }
    }

    // The token turns cancelled here and now; callbacks go to the pool, where they cannot hold up the host.
    private void TellToStop() => _ = _stopping.CancelAsync();

    private async Task RunAsync(CancellationToken stop)
    {
        DateTimeOffset? done = null;
        try
        {
            while (true)
            {
                var slot = _service.Schedule.LastDue(_time.GetUtcNow());
                if (slot <= done)
                {
                    await WaitForAsync(_service.Schedule.DueAt(_service.Schedule.After(done.Value)), stop).ConfigureAwait(false);
                }
                else if (await TryRunAsync(slot, stop).ConfigureAwait(false))
                {
                    done = slot;
                }
            }
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested)
        {
            // The host stops between two runs.
        }
    }

    /// <returns>Whether the slot is over, on this node or another.</returns>
    private async Task<bool> TryRunAsync(DateTimeOffset slot, CancellationToken stop)
    {
        OccurrenceAttempt attempt;
        var occurrence = OccurrenceOf(slot);
        try
        {
            attempt = await _occurrences.TryAcquireAsync(_service.LockName, _service.Options.LockOptions, occurrence, stop).ConfigureAwait(false);
            if (attempt is { Lease: null, Status: not OccurrenceStatus.AlreadyRun })
            {
                // Another node runs it, and may die of it; or a run before it takes longer than the interval.
                attempt = await _occurrences.AcquireAsync(_service.LockName, _service.Options.LockOptions, occurrence, UntilNext(slot), stop).ConfigureAwait(false);
            }

            _isRefused = false;
        }
        catch (LockStoreException away) when (away.IsTransient)
        {
            await Task.Delay(RetryDelay, _time, stop).ConfigureAwait(false);
            return false;
        }
        catch (Exception refusal) when (refusal is LockStoreException or ArgumentException)
        {
            // What does not pass by itself, such as a wrong password: somebody may correct it while the host runs.
            if (!_isRefused)
            {
                _logger.PeriodicRefused(_service.Name, _service.LockName, refusal.Message);
            }

            _isRefused = true;
            await Task.Delay(RefusedDelay, _time, stop).ConfigureAwait(false);
            return false;
        }

        if (attempt.Lease is not { } lease)
        {
            return attempt.Status == OccurrenceStatus.AlreadyRun;
        }

        var (end, _) = await WorkAsync(lease, slot, attempt.Status == OccurrenceStatus.Recovering, stop).ConfigureAwait(false);
        return end is WorkEnd.Completed or WorkEnd.Failed;
    }

    private async Task TriggeredAsync(CancellationToken stop)
    {
        var lease = await _locks.GetLock(_service.LockName, _service.Options.LockOptions).AcquireAsync(stop).ConfigureAwait(false);
        var (end, failure) = await WorkAsync(lease, scheduledFor: null, isRecovery: false, stop).ConfigureAwait(false);
        switch (end)
        {
            case WorkEnd.Lost:
                throw new LeaseLostException(lease, failure);
            case WorkEnd.Stopped:
                throw new OperationCanceledException(failure?.Message, failure, stop);
            case WorkEnd.Failed:
                System.Runtime.ExceptionServices.ExceptionDispatchInfo.Throw(failure!);
                break;
        }
    }

    private async Task<(WorkEnd End, Exception? Failure)> WorkAsync(ILockLease lease, DateTimeOffset? scheduledFor, bool isRecovery, CancellationToken stop)
    {
        var begun = _time.GetTimestamp();
        _logger.PeriodicRunBegins(_service.Name, _service.LockName, lease.FencingToken, scheduledFor, isRecovery);
        var (end, failure) = await LeasedWork.RunAsync(
            lease,
            _scopes,
            (services, told) => _service.Work.BeginAsync(new PeriodicRun(lease.AsReadOnly(), services, scheduledFor, isRecovery), told),
            stop).ConfigureAwait(false);
        if (end == WorkEnd.Stopped && scheduledFor is not null)
        {
            // Another node may take the slot, at once.
            await _occurrences.ReleaseUnfinishedAsync(lease).ConfigureAwait(false);
        }
        else
        {
            await lease.ReleaseAsync(CancellationToken.None).ConfigureAwait(false);
        }

        Tell(lease, end, failure, _time.GetElapsedTime(begun));
        return (end, failure);
    }

    private void Tell(ILockLease lease, WorkEnd end, Exception? failure, TimeSpan duration)
    {
        switch (end)
        {
            case WorkEnd.Failed:
                _logger.PeriodicRunFailed(failure, _service.Name, _service.LockName, lease.FencingToken, duration);
                break;
            case WorkEnd.Lost:
                _logger.PeriodicRunLost(_service.Name, _service.LockName, lease.FencingToken, duration, lease.LossReason);
                break;
            default:
                _logger.PeriodicRunEnded(_service.Name, _service.LockName, lease.FencingToken, duration, end);
                break;
        }
    }

    private Occurrence OccurrenceOf(DateTimeOffset slot) => new()
    {
        Series = "periodic",
        Time = slot,
        Run = $"{_locks.NodeId}/{++_asked}",
        RememberFor = _service.RememberFor,
        Recover = _service.Options.RecoverInterrupted,
    };

    private TimeSpan UntilNext(DateTimeOffset slot)
    {
        var next = _service.Schedule.DueAt(_service.Schedule.After(slot)) - _time.GetUtcNow();
        return next < TimeSpan.Zero ? TimeSpan.Zero : next < LongestWait ? next : LongestWait;
    }

    private Task WaitForAsync(DateTimeOffset due, CancellationToken stop)
    {
        var wait = due - _time.GetUtcNow();
        return wait <= TimeSpan.Zero ? Task.CompletedTask : Task.Delay(wait < LongestWait ? wait : LongestWait, _time, stop);
    }

    private void Track(Task run)
    {
        lock (_gate)
        {
            _runs.Add(run);
        }

        _ = run.ContinueWith(
            ended =>
            {
                lock (_gate)
                {
                    _runs.Remove(ended);
                }
            },
            CancellationToken.None,
            TaskContinuationOptions.ExecuteSynchronously,
            TaskScheduler.Default);
    }

    private Task AllRuns()
    {
        lock (_gate)
        {
            return Task.WhenAll(_runs);
        }
    }
}
