using Coordination.Hosting.Services;
using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace Coordination.Hosting.Health;

/// <summary>How the coordination of this node does: some or all of its services, and whether a lock is there to be acquired.</summary>
internal sealed class CoordinationHealthCheck(IReadOnlyList<ExclusiveService> services, ServiceChoice choice, ILockProvider locks, StoreTrouble store) : IHealthCheck
{
    public async Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(context);
        var storeTrouble = await store.FindAsync(cancellationToken).ConfigureAwait(false);
        var reports = choice.Of(services).ConvertAll(static service => new ServiceReport(service));
        var data = new Dictionary<string, object>
        {
            ["node"] = locks.NodeId,
            ["store"] = store.Store,
            ["locks"] = reports.ToDictionary(static report => report.LockName, static report => report.Describe()),
        };

        if (Join(reports.Select(static report => report.Failure)) is { } failure)
        {
            return new HealthCheckResult(context.Registration.FailureStatus, failure, data: data);
        }

        if (Join([storeTrouble, .. reports.Select(static report => report.Trouble)]) is { } trouble)
        {
            return HealthCheckResult.Degraded(trouble, data: data);
        }

        return HealthCheckResult.Healthy($"Leads {reports.Count(static report => report.IsLeader)} of {reports.Count}.", data);
    }

    private static string? Join(IEnumerable<string?> sentences) =>
        string.Join(' ', sentences.Where(static sentence => sentence is not null)) is { Length: > 0 } text ? text : null;
}
