using Coordination.Hosting.Eligibility;
using Coordination.Hosting.Execution;
using Coordination.Hosting.Runners;
using Coordination.Hosting.Telemetry;
using Coordination.Telemetry;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Coordination.Hosting.Partitions;

/// <summary>Runs one partitioned service for its host. All that the work stands on is made before it, and so is disposed after it.</summary>
internal sealed class PartitionedRunner : IAsyncDisposable, IDisposable
{
    private readonly PartitionWork _work;

    public PartitionedRunner(IServiceProvider services, PartitionedService service)
    {
        var locks = service.Node.GetRequired<ILockProvider>();
        var inspector = service.Node.GetRequired<ILockInspector>();
        var time = services.GetRequiredService<TimeProvider>();
        var lifetime = services.GetService<IHostApplicationLifetime>();
        var logger = services.GetRequiredService<TelemetryDispatcher>().Wrap(services.GetRequiredService<ILogger<PartitionedBackgroundService>>());
        var log = new PartitionLog(logger, service.Name, service.Locks.Service);
        _work = new PartitionWork(service, locks, inspector, services.GetRequiredService<IServiceScopeFactory>(), lifetime, services.GetRequiredService<ProcessEnd>(), time, log);

        var membership = new PartitionMembership(service, locks, inspector);
        var loop = new PartitionLoop(
            service,
            membership,
            new PartitionList(service, time, log),
            new PartitionHandover(service, membership, inspector, time, log),
            new PartitionDrain(service, inspector, locks.NodeId, time, log),
            _work,
            inspector,
            locks.NodeId,
            time,
            log);
        service.Node.GetRequired<NodeDrain>().Add(service.Switch, service.Locks.Service);

        // Made afresh, and not the monitor's: all else stays as it was at the start.
        services.GetRequiredService<ConfigurationReloads>().Add(
            () => service.Switch.SetOption(services.GetRequiredService<IOptionsFactory<PartitionedServiceOptions>>().Create(service.OptionsName).CanLead));
        Runner = new ExclusiveServiceRunner(loop, services.GetRequiredService<ExclusiveServiceRunners>(), lifetime, time);
    }

    public ExclusiveServiceRunner Runner { get; }

    public async ValueTask DisposeAsync()
    {
        await Runner.DisposeAsync().ConfigureAwait(false);
        _work.Dispose();
    }

    public void Dispose()
    {
        Runner.Dispose();
        _work.Dispose();
    }
}
