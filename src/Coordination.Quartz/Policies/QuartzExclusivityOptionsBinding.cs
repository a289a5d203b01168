using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;

namespace Coordination.Quartz.Policies;

/// <summary>Takes the settings from the configuration, in hosts that have one, for every scheduler.</summary>
internal sealed class QuartzExclusivityOptionsBinding(IServiceProvider services) : IConfigureNamedOptions<QuartzExclusivityOptions>
{
    /// <summary>Where the defaults are.</summary>
    public const string Defaults = QuartzExclusivityOptions.SectionName + ":" + nameof(QuartzExclusivityOptions.Defaults);

    public void Configure(QuartzExclusivityOptions options)
    {
        if (services.GetService<IConfiguration>() is { } configuration)
        {
            configuration.GetCoordinationSettings<ExclusiveJobOptions>(Defaults);
            configuration.GetCoordinationSettings<QuartzExclusivityOptions>(QuartzExclusivityOptions.SectionName).Bind(options);
        }
    }

    public void Configure(string? name, QuartzExclusivityOptions options) => Configure(options);
}
