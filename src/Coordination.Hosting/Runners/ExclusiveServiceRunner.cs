using Coordination.Hosting.Services;
using Coordination.Hosting.Telemetry;
using Coordination.Hosting.Terms;
using Microsoft.Extensions.Hosting;

namespace Coordination.Hosting.Runners;

/// <summary>
/// Runs one exclusive service for its host: begins its loop when the host has started, and awaits the work whatever ends the host. There is one loop,
/// however often it is started.
/// </summary>
internal sealed class ExclusiveServiceRunner : IHostedLifecycleService, IAsyncDisposable, IDisposable
{
    /// <summary>How long a disposed container waits for work at most.</summary>
    private static readonly TimeSpan LongestRespite = TimeSpan.FromSeconds(30);

    private readonly ExclusiveService _service;
    private readonly TermLoop _loop;
    private readonly ExclusiveServiceRunners _runners;
    private readonly IHostApplicationLifetime? _lifetime;
    private readonly TimeProvider _time;
    private readonly ServiceLog _log;
    private readonly Task _abandoned;

    private readonly CancellationTokenSource _stopping = new();
    private readonly CancellationTokenRegistration _applicationStopping;
    private readonly Lock _gate = new();
    private CancellationTokenRegistration _applicationStarted;
    private Task? _run;
    private bool _isStarting;

    public ExclusiveServiceRunner(
        ExclusiveService service, TermLoop loop, Task abandoned, ExclusiveServiceRunners runners, IHostApplicationLifetime? lifetime, TimeProvider time, ServiceLog log)
    {
        _service = service;
        _loop = loop;
        _abandoned = abandoned;
        _runners = runners;
        _lifetime = lifetime;
        _time = time;
        _log = log;
        runners.Add(this);

        // It comes before StopAsync, maybe long before: a node that is stopping does not begin a term.
        _applicationStopping = lifetime?.ApplicationStopping.UnsafeRegister(static runner => ((ExclusiveServiceRunner)runner!).TellToStop(), this) ?? default;
    }

    private TimeSpan Respite => _service.LeaseDuration < LongestRespite ? _service.LeaseDuration : LongestRespite;

    private Task EndedOrAbandoned
    {
        get
        {
            lock (_gate)
            {
                return Task.WhenAny(_run ?? Task.CompletedTask, _abandoned);
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
            _log.StillRunning(Respite);
        }
    }

    public Task StoppedAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    /// <summary>Ends the loop of a host that may not have been stopped, and awaits its work before anything is disposed that it uses.</summary>
    public async ValueTask DisposeAsync() => await _runners.EndAsync().ConfigureAwait(false);

    /// <summary>As <see cref="DisposeAsync"/>: what is disposed next is used by work that runs still.</summary>
    public void Dispose() => _runners.EndAsync().GetAwaiter().GetResult();

    /// <summary>Tells the work to stop, and nothing else to begin.</summary>
    public void TellToStop()
    {
        lock (_gate)
        {
            if (_run is null)
            {
                // It never began, and will not: whoever watches its leadership need not wait.
                _run = Task.CompletedTask;
                _service.Leadership.End();
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
            _log.GivesUp();
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
}
