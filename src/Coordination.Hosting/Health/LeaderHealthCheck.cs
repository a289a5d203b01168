using Coordination.Hosting.Services;
using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace Coordination.Hosting.Health;

/// <summary>Whether this node leads: for a load balancer that sends to the leader.</summary>
internal sealed class LeaderHealthCheck(ExclusiveServices services, ServiceChoice choice) : IHealthCheck
{
    public Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(context);
        var reports = choice.Of([.. services.All.Select(static service => new ServiceReport(service))]).ConvertAll(static report => (ServiceReport)report);
        var data = new Dictionary<string, object>(StringComparer.Ordinal);
        foreach (var report in reports)
        {
            // Two nodes may each have a lock of that name.
            if (!data.TryAdd(report.LockName, report.Describe()))
            {
                data[$"{report.LockName} ({report.NodeName})"] = report.Describe();
            }
        }

        var others = reports.Where(static report => !report.IsLeader)
            .Select(static report => report.Leaders.Count > 0
                ? $"'{report.LockName}' is led by {string.Join(", ", report.Leaders.Select(static leader => leader.NodeId))}."
                : $"'{report.LockName}' is not led by this node.")
            .ToList();
        return Task.FromResult(others.Count == 0
            ? HealthCheckResult.Healthy("Leads.", data)
            : new HealthCheckResult(context.Registration.FailureStatus, string.Join(' ', others), data: data));
    }
}
