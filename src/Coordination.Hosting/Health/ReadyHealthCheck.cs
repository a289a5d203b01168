using Coordination.Hosting.Services;
using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace Coordination.Hosting.Health;

/// <summary>Whether this node takes part: its services contend, and locks can be acquired.</summary>
internal sealed class ReadyHealthCheck(IReadOnlyList<ExclusiveService> services, StoreTrouble store) : IHealthCheck
{
    public async Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(context);
        var absent = services.Select(static service => new ServiceReport(service)).Where(static report => !report.TakesPart).Select(static report => report.Trouble).ToList();
        var trouble = absent.Count > 0 ? string.Join(' ', absent) : await store.FindAsync(cancellationToken).ConfigureAwait(false);
        return trouble is null ? HealthCheckResult.Healthy("Takes part.") : new HealthCheckResult(context.Registration.FailureStatus, trouble);
    }
}
