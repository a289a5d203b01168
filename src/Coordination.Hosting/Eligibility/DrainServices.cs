using Coordination.DependencyInjection;
using Coordination.Hosting.Telemetry;
using Coordination.Telemetry;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Coordination.Hosting.Eligibility;

/// <summary>The drain of each node of a host.</summary>
internal static class DrainServices
{
    public static void Add(IServiceCollection services)
    {
        services.TryAddSingleton<ConfigurationReloads>();
        services.TryAddSingleton(static provider => Create(new NodeServices(provider, name: null)));
        services.TryAddKeyedSingleton(KeyedService.AnyKey, static (provider, name) => Create(new NodeServices(provider, (string)name!)));
    }

    private static NodeDrain Create(NodeServices node)
    {
        var logger = node.GetShared<TelemetryDispatcher>().Wrap(node.GetShared<ILogger<ExclusiveBackgroundService>>());
        var drain = new NodeDrain(node.GetOptions<CoordinationOptions>().Drain, new DrainLog(logger, node.GetRequired<ILockProvider>().NodeId), node.GetShared<TimeProvider>());

        // Made afresh, and not the monitor's: all else stays as it was at the start.
        var options = node.GetShared<IOptionsFactory<CoordinationOptions>>();
        node.GetShared<ConfigurationReloads>().Add(() => drain.Configure(options.Create(node.Name ?? Options.DefaultName).Drain));
        return drain;
    }
}
