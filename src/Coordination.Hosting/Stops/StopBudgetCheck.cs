using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Coordination.Hosting.Stops;

/// <summary>Has the host stop in the time that its platform gives it, and says when it cannot, when the host starts.</summary>
internal sealed class StopBudgetCheck(IOptions<HostOptions> host, IOptions<CoordinationOptions> node, ILogger<StopBudgetCheck> logger) : IHostedLifecycleService
{
    /// <summary>Kubernetes sets it in every container.</summary>
    private const string KubernetesVariable = "KUBERNETES_SERVICE_HOST";

    public Task StartingAsync(CancellationToken cancellationToken)
    {
        if (StopBudget.GraceOf(node.Value.TerminationGracePeriod, Environment.GetEnvironmentVariable(KubernetesVariable) is not null) is not { } grace)
        {
            return Task.CompletedTask;
        }

        var budget = new StopBudget(host.Value.ShutdownTimeout, node.Value.ReleaseTimeout, grace);
        if (!budget.Fits && budget.IsDefault)
        {
            // The host reads it when it stops.
            budget = budget with { ShutdownTimeout = budget.Fitting };
            host.Value.ShutdownTimeout = budget.ShutdownTimeout;
            StopLog.Shortened(logger, budget.ShutdownTimeout, grace);
        }

        if (!budget.Fits)
        {
            StopLog.DoesNotFit(logger, budget.Needed, budget.ShutdownTimeout, budget.ReleaseTimeout, grace, budget.Fitting);
        }

        return Task.CompletedTask;
    }

    public Task StartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StartedAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StoppingAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StoppedAsync(CancellationToken cancellationToken) => Task.CompletedTask;
}
