using Coordination.Telemetry;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Coordination.DependencyInjection;

/// <summary>
/// Has the host stop in the time that its platform gives it, and says when it cannot, when the host starts. One for the host and all its nodes, whatever their locks are for:
/// services, jobs, or what the application acquires by hand.
/// </summary>
internal sealed class StopBudgetCheck(
    IOptions<HostOptions> host, IEnumerable<NodeName> nodes, IOptionsMonitor<CoordinationOptions> options, IEnumerable<StopTime> times, ILogger<StopBudgetCheck> logger)
    : IHostedLifecycleService
{
    /// <summary>Kubernetes sets it in every container.</summary>
    private const string KubernetesVariable = "KUBERNETES_SERVICE_HOST";

    public Task StartingAsync(CancellationToken cancellationToken)
    {
        var settings = nodes.Select(node => (node.Value, Options: options.Get(node.Value))).ToList();

        // There is one platform, and a node may say what another leaves out.
        if (StopBudget.GraceOf(settings.Min(node => node.Options.TerminationGracePeriod), Environment.GetEnvironmentVariable(KubernetesVariable) is not null) is not { } grace)
        {
            return Task.CompletedTask;
        }

        // One after another: a container disposes one node when the one before it is disposed.
        List<StopTime> after = [.. times, .. settings.Select(node => new StopTime($"{NodeSection.Of(node.Value)}:{nameof(CoordinationOptions.ReleaseTimeout)}", node.Options.ReleaseTimeout))];
        var budget = new StopBudget(host.Value.ShutdownTimeout, after.Aggregate(TimeSpan.Zero, static (sum, time) => sum + time.Longest), grace);
        if (!budget.Fits && budget.IsDefault)
        {
            // The host reads it when it stops.
            budget = budget with { ShutdownTimeout = budget.Fitting };
            host.Value.ShutdownTimeout = budget.ShutdownTimeout;
            Log.StopShortened(logger, budget.ShutdownTimeout, grace);
        }

        if (!budget.Fits)
        {
            Log.StopDoesNotFit(logger, budget.Needed?.ToString("c") ?? "any time", budget.ShutdownTimeout, string.Join(", ", after.Select(time => $"{time.What} {time.Longest:c}")), grace, budget.Fitting);
        }

        return Task.CompletedTask;
    }

    public Task StartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StartedAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StoppingAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StoppedAsync(CancellationToken cancellationToken) => Task.CompletedTask;
}
