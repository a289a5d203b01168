using Coordination.DependencyInjection;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;

namespace Coordination.PostgreSql.DependencyInjection;

/// <summary>Takes the settings from the configuration, in hosts that have one.</summary>
internal sealed class PostgreSqlStoreOptionsBinding(IServiceProvider services) : IConfigureNamedOptions<PostgreSqlStoreOptions>
{
    public void Configure(PostgreSqlStoreOptions options) => Configure(Options.DefaultName, options);

    public void Configure(string? name, PostgreSqlStoreOptions options) =>
        services.GetService<IConfiguration>()?.GetCoordinationSettings<PostgreSqlStoreOptions>(NodeSection.Of(name, PostgreSqlStoreOptions.Section)).Bind(options);
}
