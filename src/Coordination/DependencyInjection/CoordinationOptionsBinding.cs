using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;

namespace Coordination.DependencyInjection;

/// <summary>Takes the settings from the configuration, in hosts that have one.</summary>
internal sealed class CoordinationOptionsBinding(IServiceProvider services) : IConfigureOptions<CoordinationOptions>
{
    /// <inheritdoc/>
    public void Configure(CoordinationOptions options) =>
        services.GetService<IConfiguration>()?.GetSection(CoordinationOptions.SectionName).Bind(options);
}
