using Coordination.Telemetry;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Coordination.DependencyInjection;

/// <summary>The keys of the configuration that no option has: they are misspelt, and nothing else would say so.</summary>
internal sealed class UnknownSettings(IServiceProvider services, IEnumerable<SettingsSection> sections, TelemetryDispatcher telemetry, ILogger<UnknownSettings> logger)
{
    /// <summary>Sections that a package reads which may not be in use here, as where the locks are kept in memory during development.</summary>
    private static readonly string[] OfPackages = ["Redis", "Quartz", "Services", "RunOnce"];

    private readonly ILogger _logger = telemetry.Wrap(logger);
    private bool _isTold;

    /// <summary>Names them in the log, once, whoever comes first.</summary>
    public void Tell()
    {
        if (!Interlocked.Exchange(ref _isTold, true))
        {
            foreach (var (key, known) in Find())
            {
                Log.KeyUnknown(_logger, key, known);
            }
        }
    }

    /// <summary>Each with what may stand in its place.</summary>
    public IEnumerable<(string Key, string Known)> Find()
    {
        if (services.GetService<IConfiguration>() is not { } configuration)
        {
            yield break;
        }

        foreach (var alike in sections.GroupBy(section => section.Path, StringComparer.OrdinalIgnoreCase))
        {
            var keys = alike.SelectMany(section => section.Keys).ToList();
            var known = keys.Concat(SectionsIn(alike.Key)).ToHashSet(StringComparer.OrdinalIgnoreCase);

            // One that has nothing but sections is told by those.
            var told = keys.Count > 0 ? keys : [.. known.Order(StringComparer.Ordinal)];
            foreach (var unknown in configuration.GetSection(alike.Key).GetChildren().Where(child => !known.Contains(child.Key)))
            {
                yield return (unknown.Path, string.Join(", ", told));
            }
        }
    }

    private IEnumerable<string> SectionsIn(string path) => sections
        .Where(section => section.Path.StartsWith(path + ':', StringComparison.OrdinalIgnoreCase))
        .Select(section => section.Path[(path.Length + 1)..].Split(':')[0])
        .Concat(path == CoordinationOptions.SectionName ? OfPackages : []);
}
