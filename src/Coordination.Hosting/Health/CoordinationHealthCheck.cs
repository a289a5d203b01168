using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace Coordination.Hosting.Health;

/// <summary>How the coordination of this node does: some or all of its exclusive work, and whether a lock is there to be acquired.</summary>
internal sealed class CoordinationHealthCheck(HostWork? work, ServiceChoice choice, ILockProvider locks, StoreTrouble store) : IHealthCheck
{
    public async Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(context);
        var storeTrouble = await store.FindAsync(cancellationToken).ConfigureAwait(false);
        var reports = choice.Of(work?.Report() ?? []);
        var data = new Dictionary<string, object>
        {
            ["node"] = locks.NodeId,
            ["store"] = store.Store,
            ["locks"] = Describe(reports),
        };

        if (Join(reports.Select(static report => report.Failure)) is { } failure)
        {
            return new HealthCheckResult(context.Registration.FailureStatus, failure, data: data);
        }

        if (Join([storeTrouble, .. reports.Select(static report => report.Trouble)]) is { } trouble)
        {
            return HealthCheckResult.Degraded(trouble, data: data);
        }

        return HealthCheckResult.Healthy($"Leads {reports.Count(static report => report.IsLeader)} of {reports.Count(static report => report is ServiceReport)}.", data);
    }

    private static Dictionary<string, IReadOnlyDictionary<string, object>> Describe(List<IWorkReport> reports)
    {
        var described = new Dictionary<string, IReadOnlyDictionary<string, object>>(StringComparer.Ordinal);
        foreach (var report in reports)
        {
            // Periodic services may share a lock.
            if (!described.TryAdd(report.LockName, report.Describe()))
            {
                described[$"{report.LockName} ({report.ServiceType?.Name})"] = report.Describe();
            }
        }

        return described;
    }

    private static string? Join(IEnumerable<string?> sentences) =>
        string.Join(' ', sentences.Where(static sentence => sentence is not null)) is { Length: > 0 } text ? text : null;
}
