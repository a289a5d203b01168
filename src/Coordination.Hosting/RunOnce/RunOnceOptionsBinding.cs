using Coordination.Hosting.Services;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;

namespace Coordination.Hosting.RunOnce;

/// <summary>Takes the settings of each work that is run once from its section of the configuration, in hosts that have one.</summary>
internal sealed class RunOnceOptionsBinding(IServiceProvider services, IEnumerable<RunOnceWork> works) : IConfigureNamedOptions<RunOnceOptions>
{
    public void Configure(RunOnceOptions options) => Configure(Options.DefaultName, options);

    public void Configure(string? name, RunOnceOptions options)
    {
        if (services.GetService<IConfiguration>() is { } configuration && works.FirstOrDefault(work => work.LockName == name) is { } work)
        {
            configuration.GetCoordinationSettings<RunOnceOptions>(work.SectionPath).Bind(options);
            options.LockOptions = LockSettings.Read(configuration, $"{work.SectionPath}:{nameof(options.LockOptions)}");
        }
    }
}
