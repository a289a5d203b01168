using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;

namespace Coordination.Hosting.Services;

/// <summary>Takes the settings of each service from its section of the configuration, in hosts that have one.</summary>
internal sealed class ExclusiveServiceOptionsBinding(IServiceProvider services, IEnumerable<ServiceKey> keys) : IConfigureNamedOptions<ExclusiveServiceOptions>
{
    public void Configure(ExclusiveServiceOptions options) => Configure(Options.DefaultName, options);

    public void Configure(string? name, ExclusiveServiceOptions options)
    {
        if (services.GetService<IConfiguration>() is { } configuration && keys.FirstOrDefault(key => key.OptionsName == name) is { } key)
        {
            configuration.GetCoordinationSettings<ExclusiveServiceOptions>(key.SectionPath).Bind(options);
            options.LockOptions = LockSettings.Read(configuration, $"{key.SectionPath}:{nameof(options.LockOptions)}");
        }
    }
}
