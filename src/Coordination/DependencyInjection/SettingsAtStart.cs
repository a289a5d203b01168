using Coordination.Telemetry;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Coordination.DependencyInjection;

/// <summary>Tells the durations in effect when the host starts, and names the keys of the configuration that no option has: they are misspelt, and nothing else would say so.</summary>
internal sealed class SettingsAtStart(IServiceProvider services, IEnumerable<SettingsSection> sections, TelemetryDispatcher telemetry, ILogger<SettingsAtStart> logger) : IHostedService
{
    /// <summary>Sections that a package reads which may not be in use here, as where the locks are kept in memory during development.</summary>
    private static readonly string[] OfPackages = ["Redis", "Quartz", "Services", "RunOnce"];

    private readonly ILogger _logger = telemetry.Wrap(logger);

    public Task StartAsync(CancellationToken cancellationToken)
    {
        if (services.GetService<IConfiguration>() is { } configuration)
        {
            foreach (var alike in sections.GroupBy(section => section.Path, StringComparer.OrdinalIgnoreCase))
            {
                var keys = alike.SelectMany(section => section.Keys).ToList();
                var known = keys.Concat(SectionsIn(alike.Key)).ToHashSet(StringComparer.OrdinalIgnoreCase);

                // One that has nothing but sections is told by those.
                var told = keys.Count > 0 ? keys : [.. known.Order(StringComparer.Ordinal)];
                foreach (var unknown in configuration.GetSection(alike.Key).GetChildren().Where(child => !known.Contains(child.Key)))
                {
                    Log.KeyUnknown(_logger, unknown.Path, string.Join(", ", told));
                }
            }
        }

        Log.DurationsInEffect(_logger, string.Join(", ", sections.SelectMany(section => section.Durations(services)).Select(duration => $"{duration.Key} {duration.Value:c}")));
        return Task.CompletedTask;
    }

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    private IEnumerable<string> SectionsIn(string path) => sections
        .Where(section => section.Path.StartsWith(path + ':', StringComparison.OrdinalIgnoreCase))
        .Select(section => section.Path[(path.Length + 1)..].Split(':')[0])
        .Concat(path == CoordinationOptions.SectionName ? OfPackages : []);
}
