using Coordination.TestKit.Servers;
using Microsoft.Extensions.DependencyInjection;
using StackExchange.Redis;

namespace Coordination.DistributedLock.Tests.Contract;

public sealed class SharedRedisStore(ServerFixture server) : SharedStore
{
    private readonly string _prefix = "test-" + Guid.NewGuid().ToString("N")[..8];
    private ConfigurationOptions? _settings;

    public override async ValueTask InitializeAsync() => _settings = await server.GetSettingsAsync();

    public override void Use(ICoordinationBuilder builder) =>
        builder.UseRedis(_settings!, options =>
        {
            options.KeyPrefix = _prefix;
            options.ProbeOnStart = false;
        });

    public override async Task LoseAllDataAsync()
    {
        await using var connection = await server.ConnectAsOperatorAsync();
        await Keyspace.LoseAsync(connection, _prefix);
    }
}
