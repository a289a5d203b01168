using Coordination.Chaos.Contenders;
using Coordination.Chaos.History;
using Coordination.Chaos.Resource;
using Microsoft.Extensions.DependencyInjection;

namespace Coordination.Chaos.Workers;

/// <summary>A host with an exclusive background service for each lock, whose node is drained and resumed when it is told to.</summary>
internal sealed class ServiceWorker(WorkerOptions options, HistoryFile history, IReadOnlyList<LedService> services, NodeDrain drain)
{
    private bool _isDrained;

    public static async Task RunAsync(WorkerOptions options, WorkerSignals signals, HistoryFile history, CancellationToken stopping)
    {
        var attempts = new Attempts();
        var resources = await Task.WhenAll(options.Locks.Select(_ => ResourceClient.ConnectAsync(options.ResourcePort, options.Process)));
        LedService[] services = [.. options.Locks.Zip(resources).Select(pair => new LedService(pair.First, options, history, attempts, pair.Second))];
        using var host = WorkerHost.Create(options, signals, (collection, _) =>
        {
            foreach (var service in services)
            {
                collection.AddExclusiveBackgroundService(service.LockName, (_, _) => service, o => o.LockName = service.LockName);
            }
        });
        var worker = new ServiceWorker(options, history, services, host.Services.GetRequiredService<NodeDrain>());
        (signals.Drain, signals.Resume) = (worker.Drain, worker.Resume);
        await WorkerHost.RunAsync(host, worker.Contend, stopping);
        foreach (var resource in resources)
        {
            resource.Dispose();
        }
    }

    private void Drain()
    {
        _isDrained = true;
        var draining = options.Contender == ContenderKind.DrainThatContends ? StepDownAsync() : drain.DrainAsync();

        // From here on it leads nothing new.
        history.Write(EventKind.Draining);
        foreach (var service in services)
        {
            service.Leave();
        }

        _ = NoteAsync(draining);
    }

    private void Resume()
    {
        // It may have been started again since it was told to drain.
        if (_isDrained)
        {
            _isDrained = false;
            history.Write(EventKind.Resumed);
            drain.Resume();
            Contend();
        }
    }

    private void Contend()
    {
        foreach (var service in services)
        {
            service.Contend();
        }
    }

    /// <summary>Broken: gives away what it leads, and contends on.</summary>
    private async Task StepDownAsync()
    {
        foreach (var service in services)
        {
            service.StepDown();
        }

        while (services.Any(service => service.Leads))
        {
            await Task.Delay(10);
        }
    }

    private async Task NoteAsync(Task draining)
    {
        try
        {
            await draining;
            history.Write(EventKind.Drained);
        }
        catch (OperationCanceledException)
        {
            // Resumed before.
        }
    }
}
