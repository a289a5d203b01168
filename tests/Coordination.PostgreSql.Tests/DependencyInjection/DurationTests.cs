using Coordination.PostgreSql.Tests.Servers;
using Coordination.TestKit.Durations;
using Microsoft.Extensions.DependencyInjection;

namespace Coordination.PostgreSql.Tests.DependencyInjection;

[Needs(Need.PostgreSql)]
public sealed class DurationTests(PostgreSqlFixture server) : StoreDurationTests<PostgreSqlStoreOptions>(PostgreSqlStoreOptions.SectionName)
{
    public static TheoryData<string, TimeSpan> OfStores => DurationValues.Of(typeof(PostgreSqlStoreOptions));

    protected override async Task UseAsync(ICoordinationBuilder builder, Action<PostgreSqlStoreOptions>? configure)
    {
        builder.UsePostgreSql(await server.GetConnectionStringAsync(), o =>
        {
            o.Schema = "test_" + Guid.NewGuid().ToString("N")[..8];
            configure?.Invoke(o);
        });
    }
}
