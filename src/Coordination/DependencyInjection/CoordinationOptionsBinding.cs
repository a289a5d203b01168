using System.Reflection;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Options;

namespace Coordination.DependencyInjection;

/// <summary>Takes the settings from the host and from the configuration, where there are any.</summary>
internal sealed class CoordinationOptionsBinding(IServiceProvider services) : IConfigureNamedOptions<CoordinationOptions>
{
    /// <inheritdoc/>
    public void Configure(CoordinationOptions options) => Configure(Options.DefaultName, options);

    /// <inheritdoc/>
    public void Configure(string? name, CoordinationOptions options)
    {
        // Before anything is checked or made: a start that fails may fail because of one of them.
        services.GetService<UnknownSettings>()?.Tell();

        // Without a host, as one names its application by default.
        options.ApplicationName = services.GetService<IHostEnvironment>() is { ApplicationName: { Length: > 0 } application } ? application : Assembly.GetEntryAssembly()?.GetName().Name;
        services.GetService<IConfiguration>()?.GetCoordinationSettings<CoordinationOptions>(NodeSection.Of(name)).Bind(options);
    }
}
