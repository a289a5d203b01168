using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace Coordination.Hosting.Health;

/// <summary>Whether this node takes part: its services have started, work that is run once is done, and locks can be acquired.</summary>
internal sealed class ReadyHealthCheck(HostWork work, ServiceChoice choice, StoreTrouble store) : IHealthCheck
{
    public async Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(context);
        var absent = choice.Of(work.Report()).Where(static report => !report.TakesPart).Select(static report => report.Trouble).ToList();
        var trouble = absent.Count > 0 ? string.Join(' ', absent) : await store.FindAsync(cancellationToken).ConfigureAwait(false);
        return trouble is null ? HealthCheckResult.Healthy("Takes part.") : new HealthCheckResult(context.Registration.FailureStatus, trouble);
    }
}
