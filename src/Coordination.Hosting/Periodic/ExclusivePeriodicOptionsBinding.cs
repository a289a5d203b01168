using Coordination.Hosting.Services;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;

namespace Coordination.Hosting.Periodic;

/// <summary>Takes the settings of each periodic service from its section of the configuration, in hosts that have one.</summary>
internal sealed class ExclusivePeriodicOptionsBinding(IServiceProvider services, IEnumerable<ServiceKey> keys) : IConfigureNamedOptions<ExclusivePeriodicOptions>
{
    public void Configure(ExclusivePeriodicOptions options) => Configure(Options.DefaultName, options);

    public void Configure(string? name, ExclusivePeriodicOptions options)
    {
        if (services.GetService<IConfiguration>() is { } configuration && keys.FirstOrDefault(key => key.OptionsName == name) is { } key)
        {
            configuration.GetCoordinationSettings<ExclusivePeriodicOptions>(key.SectionPath).Bind(options);
            options.LockOptions = LockSettings.Read(configuration, $"{key.SectionPath}:{nameof(options.LockOptions)}");
        }
    }
}
