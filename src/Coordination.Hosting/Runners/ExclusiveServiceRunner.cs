using Microsoft.Extensions.Hosting;

namespace Coordination.Hosting.Runners;

/// <summary>
/// Runs one service for its host: begins its loop when the host has started, and awaits the work whatever ends the host. There is one loop,
/// however often it is started.
/// </summary>
internal sealed class ExclusiveServiceRunner : IHostedLifecycleService, IAsyncDisposable, IDisposable
{
    /// <summary>How long a disposed container waits for work at most.</summary>
    private static readonly TimeSpan LongestRespite = TimeSpan.FromSeconds(30);

    private readonly IServiceLoop _loop;
    private readonly ExclusiveServiceRunners _runners;
    private readonly IHostApplicationLifetime? _lifetime;
    private readonly TimeProvider _time;

    private readonly CancellationTokenSource _stopping = new();
    private readonly CancellationTokenRegistration _applicationStopping;
    private readonly Lock _gate = new();
    private readonly HashSet<Task> _beside = [];
    private CancellationTokenRegistration _applicationStarted;
    private Task? _run;
    private bool _isStarting;

    public ExclusiveServiceRunner(IServiceLoop loop, ExclusiveServiceRunners runners, IHostApplicationLifetime? lifetime, TimeProvider time)
    {
        _loop = loop;
        _runners = runners;
        _lifetime = lifetime;
        _time = time;
        runners.Add(this);

        // It comes before StopAsync, maybe long before: a node that is stopping does not begin a term.
        _applicationStopping = lifetime?.ApplicationStopping.UnsafeRegister(static runner => ((ExclusiveServiceRunner)runner!).TellToStop(), this) ?? default;
    }

    private TimeSpan Respite => _loop.LeaseDuration < LongestRespite ? _loop.LeaseDuration : LongestRespite;

    private Task EndedOrAbandoned
    {
        get
        {
            lock (_gate)
            {
                return Task.WhenAll([Task.WhenAny(_run ?? Task.CompletedTask, _loop.Abandoned), .. _beside]);
            }
        }
    }

    public Task StartingAsync(CancellationToken cancellationToken)
    {
        if (_lifetime is not null && !Interlocked.Exchange(ref _isStarting, true))
        {
            // Contends only when the whole host has started: a node whose start fails never led.
            _applicationStarted = _lifetime.ApplicationStarted.UnsafeRegister(static runner => ((ExclusiveServiceRunner)runner!).Begin(), this);
        }

        return Task.CompletedTask;
    }

    /// <summary>Does nothing in a host that says when it has started. Whoever calls this alone, such as the harness of a test, says no more.</summary>
    public Task StartAsync(CancellationToken cancellationToken)
    {
        if (!Volatile.Read(ref _isStarting))
        {
            Begin();
        }

        return Task.CompletedTask;
    }

    public Task StartedAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StoppingAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public async Task StopAsync(CancellationToken cancellationToken)
    {
        TellToStop();
        await EndedOrAbandoned.WaitAsync(cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        if (!EndedOrAbandoned.IsCompleted)
        {
            _loop.WorkLog.StillRunning(_loop.HoldsLock, Respite);
        }
    }

    public Task StoppedAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    /// <summary>Ends the loop of a host that may not have been stopped, and awaits its work before anything is disposed that it uses.</summary>
    public async ValueTask DisposeAsync() => await _runners.EndAsync().ConfigureAwait(false);

    /// <inheritdoc cref="ExclusiveServiceRunners.End"/>
    public void Dispose() => _runners.End();

    /// <summary>Runs something beside the loop, which is told to stop and awaited as the loop is, also in a host that has not started.</summary>
    /// <param name="run">What is run.</param>
    /// <param name="abandoned">Completes when nobody but the caller is to wait for it any more.</param>
    /// <exception cref="OperationCanceledException">The host stops, or has stopped.</exception>
    public Task RunBesideAsync(Func<CancellationToken, Task> run, Task abandoned)
    {
        var isOpen = _runners.TryGuard();
        Task running, endedOrAbandoned;
        lock (_gate)
        {
            _stopping.Token.ThrowIfCancellationRequested();
            if (!isOpen)
            {
                throw new OperationCanceledException("The host is disposed.");
            }

            // It is known from here on, before any of it runs, and whoever looks for what runs waits for this gate.
            running = Task.Run(() => run(_stopping.Token), CancellationToken.None);
            endedOrAbandoned = Task.WhenAny(running, abandoned);
            _beside.Add(endedOrAbandoned);
        }

        _ = endedOrAbandoned.ContinueWith(Forget, CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);
        return running;
    }

    /// <summary>Tells the work to stop, and nothing else to begin.</summary>
    public void TellToStop()
    {
        lock (_gate)
        {
            if (_run is null)
            {
                // It never began, and will not: whoever watches its leadership need not wait.
                _run = Task.CompletedTask;
                _loop.EndUnbegun();
            }
        }

        _ = TellToStopAsync();
    }

    /// <summary>Waits for the work, for as long as a crash would keep the lock from others and no longer.</summary>
    public async Task EndAsync()
    {
        _applicationStarted.Unregister();
        _applicationStopping.Unregister();
        TellToStop();
        await EndedOrAbandoned.WaitAsync(Respite, _time).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        if (!EndedOrAbandoned.IsCompleted)
        {
            _loop.WorkLog.GivesUp(_loop.HoldsLock);
        }
    }

    private void Begin()
    {
        if (!_runners.TryGuard())
        {
            return;
        }

        lock (_gate)
        {
            if (_run is not null)
            {
                return;
            }

            // It lives as long as the host, and keeps nothing of whoever starts that.
            using (ExecutionContext.SuppressFlow())
            {
                _run = Task.Run(() => _loop.RunAsync(_stopping.Token), CancellationToken.None);
            }
        }
    }

    private void Forget(Task ended)
    {
        lock (_gate)
        {
            _beside.Remove(ended);
        }
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
            _loop.Log.StopCallbackFailed(exception);
        }
    }
}
