using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace Coordination.Hosting.Health;

/// <summary>Whether this node takes part: its services lead, stand by, or are to do neither, work that is run once is done, and locks can be acquired.</summary>
internal sealed class ReadyHealthCheck(HostWork work, ServiceChoice choice, StoreTrouble store) : IHealthCheck
{
    public async Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(context);
        var absent = choice.Of(work.Report()).Select(static report => report.Absence).OfType<string>().ToList();

        // Where a store is away from the start, this is why they are absent.
        if (await store.FindAsync(cancellationToken).ConfigureAwait(false) is { } trouble)
        {
            absent.Add(trouble);
        }

        return absent.Count == 0 ? HealthCheckResult.Healthy("Takes part.") : new HealthCheckResult(context.Registration.FailureStatus, string.Join(' ', absent));
    }
}
