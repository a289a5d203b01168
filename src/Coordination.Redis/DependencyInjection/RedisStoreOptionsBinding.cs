using Coordination.DependencyInjection;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;

namespace Coordination.Redis.DependencyInjection;

/// <summary>Takes the settings from the configuration, in hosts that have one.</summary>
internal sealed class RedisStoreOptionsBinding(IServiceProvider services) : IConfigureNamedOptions<RedisStoreOptions>
{
    public void Configure(RedisStoreOptions options) => Configure(Options.DefaultName, options);

    public void Configure(string? name, RedisStoreOptions options) =>
        services.GetService<IConfiguration>()?.GetCoordinationSettings<RedisStoreOptions>(NodeSection.Of(name, RedisStoreOptions.Section)).Bind(options);
}
