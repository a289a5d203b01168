using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace Coordination.Hosting.Health;

/// <summary>How the coordination of this node does: some or all of its exclusive work, and whether a lock is there to be acquired.</summary>
internal sealed class CoordinationHealthCheck(HostWork work, ServiceChoice choice, Func<string?, NodeHealth> find) : IHealthCheck
{
    public async Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(context);
        await Task.WhenAll(choice.Of(work.Report()).OfType<ServiceReport>().Select(report => report.LookAsync(cancellationToken))).ConfigureAwait(false);
        var reports = choice.Of(work.Report());
        List<NodeHealth> nodes = [.. choice.NodesOf(reports).Select(find)];
        var storeTroubles = await Task.WhenAll(nodes.Select(node => node.Store.FindAsync(cancellationToken))).ConfigureAwait(false);
        var data = new Dictionary<string, object>
        {
            ["node"] = string.Join(", ", nodes.Select(static node => node.NodeId)),
            ["store"] = string.Join(", ", nodes.Select(static node => node.Store.Store)),
            ["locks"] = Describe(reports),
            ["drained"] = nodes.Exists(static node => node.Drain is { IsRequested: true }),
        };

        if (Join(reports.Select(static report => report.Failure)) is { } failure)
        {
            return new HealthCheckResult(context.Registration.FailureStatus, failure, data: data);
        }

        if (Join([.. storeTroubles, .. reports.Select(static report => report.Trouble)]) is { } trouble)
        {
            return HealthCheckResult.Degraded(trouble, data: data);
        }

        var notes = Join([.. Leads(reports), .. nodes.Select(static node => node.Note), .. reports.Select(static report => report.Note)]);
        return HealthCheckResult.Healthy(notes ?? "Takes part.", data);
    }

    /// <summary>What this node leads: services, and partitions. Nobody leads periodic work, or what is run once.</summary>
    private static IEnumerable<string> Leads(List<IWorkReport> reports)
    {
        List<ServiceReport> services = [.. reports.OfType<ServiceReport>()];
        return
        [
            .. services.Count == 0 ? Enumerable.Empty<string>() : [$"Leads {services.Count(static service => service.IsLeader)} of {services.Count}."],
            .. reports.OfType<PartitionReport>().Select(static partitions => partitions.Leads),
        ];
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
