using Coordination.Hosting.Execution;
using Coordination.Hosting.Runners;
using Coordination.Hosting.Services;
using Coordination.Hosting.Telemetry;
using Coordination.Occurrences;
using Coordination.Telemetry;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Coordination.Hosting.Periodic;

/// <summary>Runs one periodic service for its host, by its schedule and by hand. All that the work stands on is made before it, and so is disposed after it.</summary>
internal sealed class PeriodicRunner : IAsyncDisposable, IDisposable
{
    private readonly PeriodicService _service;
    private readonly ILock _lock;
    private readonly IServiceScopeFactory _scopes;
    private readonly ProcessEnd _process;
    private readonly IHostApplicationLifetime? _lifetime;
    private readonly TimeProvider _time;
    private readonly ServiceLog _log;
    private readonly PeriodicRuns _runs;

    public PeriodicRunner(IServiceProvider services, PeriodicService service)
    {
        _service = service;
        _lock = service.Node.GetRequired<ILockProvider>().GetLock(service.LockName, service.Options.LockOptions);
        _scopes = services.GetRequiredService<IServiceScopeFactory>();
        _process = services.GetRequiredService<ProcessEnd>();
        _lifetime = services.GetService<IHostApplicationLifetime>();
        _time = services.GetRequiredService<TimeProvider>();
        var logger = services.GetRequiredService<TelemetryDispatcher>().Wrap(services.GetRequiredService<ILogger<ExclusivePeriodicService>>());
        var occurrences = service.Node.GetRequired<OccurrenceLocks>();
        _log = new ServiceLog(logger, service.Name, service.LockName);
        var periodicLog = new PeriodicLog(logger, service);
        var failures = new FailureLimit(service.Failures, service.Options.StopHostAfterFailures, _lifetime, _process, _log);
        _runs = new PeriodicRuns(service, occurrences, failures, _time, _log, periodicLog);
        var loop = new PeriodicLoop(
            service, _runs, CreateLeased(), occurrences, service.Node.GetRequired<ILockProvider>().NodeId, failures, _time, _log, periodicLog);
        service.Node.GetRequired<NodeDrain>().Add(service.Switch, service.LockName);
        Runner = new ExclusiveServiceRunner(loop, services.GetRequiredService<ExclusiveServiceRunners>(), _lifetime, _time);
    }

    public ExclusiveServiceRunner Runner { get; }

    public PeriodicTrigger<TService> CreateTrigger<TService>()
        where TService : ExclusivePeriodicService => new(Runner, _runs, _lock, CreateLeased);

    public ValueTask DisposeAsync() => Runner.DisposeAsync();

    public void Dispose() => Runner.Dispose();

    private LeasedWork CreateLeased() => new(_scopes, new OverdueWatch(_service.Overdue, _lifetime, _process, _time, _log), _log);
}
