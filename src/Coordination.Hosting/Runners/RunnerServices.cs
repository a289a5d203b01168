using Coordination.Hosting.Eligibility;
using Coordination.Hosting.Execution;
using Coordination.Telemetry;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;

namespace Coordination.Hosting.Runners;

/// <summary>What all kinds of exclusive work share in a host.</summary>
internal static class RunnerServices
{
    public static void Add(IServiceCollection services)
    {
        DrainServices.Add(services);
        services.TryAddSingleton<ExclusiveServiceRunners>();
        services.TryAddTransient<DisposalGuard>();
        services.TryAddSingleton(static provider => new ProcessEnd(provider.GetRequiredService<TelemetryDispatcher>()));
    }
}
