using Coordination.Chaos.Contenders;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace Coordination.Chaos.Workers;

/// <summary>The host of a worker whose locks are those of what a host runs.</summary>
internal static class WorkerHost
{
    public static IHost Create(WorkerOptions options, WorkerSignals signals, Action<IServiceCollection, ICoordinationBuilder> add)
    {
        var builder = Host.CreateApplicationBuilder(new HostApplicationBuilderSettings { DisableDefaults = true });
        builder.Services.AddSingleton<TimeProvider>(signals.Clock);
        builder.Services.Configure<HostOptions>(o => o.ShutdownTimeout = TimeSpan.FromSeconds(8));
        add(builder.Services, CoordinationContender.Register(builder.Services, options, signals));
        return builder.Build();
    }

    /// <summary>Says that it is ready when the host has started, and stops it when the process is told to end.</summary>
    public static async Task RunAsync(IHost host, Action started, CancellationToken stopping)
    {
        await host.StartAsync(CancellationToken.None);
        started();
        Console.WriteLine("ready");
        await Task.Delay(Timeout.Infinite, stopping).ContinueWith(_ => { }, TaskScheduler.Default);
        await host.StopAsync(CancellationToken.None);
    }
}
