using Coordination.Quartz.Telemetry;
using Coordination.Telemetry;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Quartz;

namespace Coordination.Quartz.Execution;

/// <summary>
/// Sees to it that no exclusive job outlives the leases of the host: warns of settings that let one when the host starts, and
/// interrupts and awaits what still runs when everything else has stopped.
/// </summary>
internal sealed class JobsAtStop(
    IServiceProvider services, IEnumerable<ExclusiveScheduler> schedulers, TelemetryDispatcher telemetry, ILogger<JobsAtStop> logger) : IHostedLifecycleService
{
    private readonly ILogger _logger = telemetry.Wrap(logger);

    /// <summary>Those that the host starts and stops; others are their owner's affair.</summary>
    private IEnumerable<string> HostedSchedulers =>
        services.GetServices<IHostedService>().OfType<QuartzHostedService>().Any() ? schedulers.Select(scheduler => scheduler.Name) : [];

    public Task StartingAsync(CancellationToken cancellationToken)
    {
        foreach (var name in HostedSchedulers)
        {
            var scheduler = services.GetRequiredService<IOptionsMonitor<QuartzSchedulerOptions>>().Get(name);
            if (!services.GetRequiredService<IOptionsMonitor<QuartzHostedServiceOptions>>().Get(name).WaitForJobsToComplete)
            {
                _logger.JobsMayOutliveHost(scheduler.InstanceName, scheduler.ShutdownJobInterruption);
            }
        }

        return Task.CompletedTask;
    }

    public Task StartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    /// <summary>Checks the jobs that the schedulers of this host begin with.</summary>
    /// <exception cref="ArgumentException">A job cannot be exclusive as it is set, or a trigger not be told from another.</exception>
    public async Task StartedAsync(CancellationToken cancellationToken)
    {
        try
        {
            foreach (var name in HostedSchedulers)
            {
                var factory = name.Length == 0 ? services.GetService<ISchedulerFactory>() : services.GetKeyedService<ISchedulerFactory>(name);
                if (factory is not null && await factory.GetScheduler(cancellationToken).ConfigureAwait(false) is { } scheduler)
                {
                    await services.GetRequiredKeyedService<SchedulerExclusivity>(name).CheckOf(services).CheckAsync(scheduler, cancellationToken).ConfigureAwait(false);
                }
            }
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            // The host is told to stop while it starts: there is nothing left to check, and an exception would end the process.
        }
    }

    public Task StoppingAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    /// <summary>Comes after every service has stopped, and before anything is disposed.</summary>
    public Task StoppedAsync(CancellationToken cancellationToken) => services.GetRequiredService<RunsAtEnd>().EndAsync(cancellationToken);
}
