using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;

namespace Coordination.DependencyInjection;

/// <summary>Takes the settings from the configuration, in hosts that have one.</summary>
internal sealed class CoordinationOptionsBinding(IServiceProvider services) : IConfigureNamedOptions<CoordinationOptions>
{
    /// <inheritdoc/>
    public void Configure(CoordinationOptions options) => Configure(Options.DefaultName, options);

    /// <inheritdoc/>
    public void Configure(string? name, CoordinationOptions options) =>
        services.GetService<IConfiguration>()?.GetSection(NodeSection.Of(name)).Bind(options);
}
