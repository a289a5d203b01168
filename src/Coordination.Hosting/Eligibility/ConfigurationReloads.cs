using Coordination.Hosting.Telemetry;
using Coordination.Telemetry;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Primitives;

namespace Coordination.Hosting.Eligibility;

/// <summary>
/// Tells those settings that may change while the host runs that its configuration was read again. One that cannot be read stays as it was: who reads a configuration again, such as the watcher of a file,
/// meets no exception of it.
/// </summary>
internal sealed class ConfigurationReloads : IDisposable
{
    private readonly Lock _gate = new();
    private readonly List<Action> _settings = [];
    private readonly ILogger _logger;
    private readonly IDisposable? _registration;

    public ConfigurationReloads(IServiceProvider services, TelemetryDispatcher telemetry, ILogger<ExclusiveBackgroundService> logger)
    {
        _logger = telemetry.Wrap(logger);
        if (services.GetService<IConfiguration>() is { } configuration)
        {
            using (ExecutionContext.SuppressFlow())
            {
                _registration = ChangeToken.OnChange(configuration.GetReloadToken, Apply);
            }
        }
    }

    /// <summary>Has a setting applied each time. It may throw.</summary>
    public void Add(Action apply)
    {
        lock (_gate)
        {
            _settings.Add(apply);
        }
    }

    public void Dispose() => _registration?.Dispose();

    private void Apply()
    {
        List<Action> settings;
        lock (_gate)
        {
            settings = [.. _settings];
        }

        foreach (var apply in settings)
        {
            try
            {
                apply();
            }
            catch (Exception exception)
            {
                // A value that cannot be read as its setting, or a source of the configuration that throws: what was read before counts on, and so do the other settings.
                _logger.ReloadFailed(exception.Message);
            }
        }
    }
}
