using Coordination.Hosting.Services;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;

namespace Coordination.Hosting.Partitions;

/// <summary>Takes the settings of each partitioned service from its section of the configuration, in hosts that have one.</summary>
internal sealed class PartitionedServiceOptionsBinding(IServiceProvider services, IEnumerable<ServiceKey> keys) : IConfigureNamedOptions<PartitionedServiceOptions>
{
    public void Configure(PartitionedServiceOptions options) => Configure(Options.DefaultName, options);

    public void Configure(string? name, PartitionedServiceOptions options)
    {
        if (services.GetService<IConfiguration>() is { } configuration && keys.FirstOrDefault(key => key.OptionsName == name) is { } key)
        {
            configuration.GetCoordinationSettings<PartitionedServiceOptions>(key.SectionPath).Bind(options);
            options.LockOptions = LockSettings.Read(configuration, $"{key.SectionPath}:{nameof(options.LockOptions)}");
        }
    }
}
