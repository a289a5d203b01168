using Coordination.Telemetry;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Coordination.DependencyInjection;

/// <summary>Tells the durations in effect when the host starts, and the keys of the configuration that nothing reads, where that was not told yet.</summary>
internal sealed class SettingsAtStart(IServiceProvider services, IEnumerable<SettingsSection> sections, UnknownSettings unknown, TelemetryDispatcher telemetry, ILogger<SettingsAtStart> logger) : IHostedService
{
    private readonly ILogger _logger = telemetry.Wrap(logger);

    public Task StartAsync(CancellationToken cancellationToken)
    {
        unknown.Tell();
        Log.DurationsInEffect(_logger, string.Join(", ", sections.SelectMany(section => section.Durations(services)).Select(duration => $"{duration.Key} {duration.Value:c}")));
        return Task.CompletedTask;
    }

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;
}
