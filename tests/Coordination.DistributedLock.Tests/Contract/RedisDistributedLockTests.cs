using Coordination.TestKit.Servers;
using Microsoft.Extensions.DependencyInjection;
using StackExchange.Redis;

namespace Coordination.DistributedLock.Tests.Contract;

[Needs(Need.RedisServer)]
public sealed class RedisServerDistributedLockTests(RedisServerFixture server) : RedisDistributedLockContract(server);

public sealed class GarnetDistributedLockTests(GarnetFixture server) : RedisDistributedLockContract(server);

[Needs(Need.RedisServer)]
public sealed class ClusterDistributedLockTests(ClusterFixture server) : RedisDistributedLockContract(server);

/// <summary>What code that was written for DistributedLock relies on, on a server that several nodes share.</summary>
public abstract class RedisDistributedLockContract(ServerFixture server) : DistributedLockContract
{
    private readonly string _prefix = "test-" + Guid.NewGuid().ToString("N")[..8];
    private ConfigurationOptions? _settings;

    public override async ValueTask InitializeAsync()
    {
        _settings = await server.GetSettingsAsync();
        await base.InitializeAsync();
    }

    protected override void UseStore(ICoordinationBuilder builder) =>
        builder.UseRedis(_settings!, options =>
        {
            options.KeyPrefix = _prefix;
            options.ProbeOnStart = false;
        });

    protected override async Task LoseAllDataAsync()
    {
        await using var connection = await server.ConnectAsOperatorAsync();
        await Keyspace.LoseAsync(connection, _prefix);
    }
}
