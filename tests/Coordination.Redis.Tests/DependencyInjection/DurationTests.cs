using Coordination.TestKit.Durations;
using Coordination.TestKit.Servers;
using Microsoft.Extensions.DependencyInjection;

namespace Coordination.Redis.Tests.DependencyInjection;

[Needs(Need.RedisServer)]
public sealed class DurationTests(RedisServerFixture server) : StoreDurationTests<RedisStoreOptions>(RedisStoreOptions.SectionName)
{
    public static TheoryData<string, TimeSpan> OfStores => DurationValues.Of(typeof(RedisStoreOptions));

    protected override async Task UseAsync(ICoordinationBuilder builder, Action<RedisStoreOptions>? configure)
    {
        builder.UseRedis(await server.GetConnectionStringAsync(), o =>
        {
            o.KeyPrefix = "test-" + Guid.NewGuid().ToString("N")[..8];
            configure?.Invoke(o);
        });
    }
}
