using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;

namespace Coordination.Quartz.Policies;

/// <summary>Takes the settings from the configuration, in hosts that have one, for every scheduler.</summary>
internal sealed class QuartzExclusivityOptionsBinding(IServiceProvider services) : IConfigureNamedOptions<QuartzExclusivityOptions>
{
    public void Configure(QuartzExclusivityOptions options) =>
        services.GetService<IConfiguration>()?.GetSection(QuartzExclusivityOptions.SectionName).Bind(options);

    public void Configure(string? name, QuartzExclusivityOptions options) => Configure(options);
}
