using Coordination.Redis.Tests.Servers;
using Coordination.Stores;
using Coordination.TestKit.Servers;
using Microsoft.Extensions.DependencyInjection;
using StackExchange.Redis;

namespace Coordination.Redis.Tests.Contract;

[Collection(nameof(Alone))]
[Needs(Need.RedisServer)]
public sealed class RedisServerStoreStarvedPoolContract(RedisServerFixture server) : RedisStoreStarvedPoolContract(server);

[Collection(nameof(Alone))]
public sealed class GarnetStoreStarvedPoolContract(GarnetFixture server) : RedisStoreStarvedPoolContract(server);

[Collection(nameof(Alone))]
[Needs(Need.RedisServer)]
public sealed class ClusterStoreStarvedPoolContract(ClusterFixture server) : RedisStoreStarvedPoolContract(server);

[Collection(nameof(Alone))]
[Needs(Need.RedisServer)]
public sealed class RedisServerLockStarvedPoolContract(RedisServerFixture server) : RedisLockStarvedPoolContract(server);

[Collection(nameof(Alone))]
public sealed class GarnetLockStarvedPoolContract(GarnetFixture server) : RedisLockStarvedPoolContract(server);

/// <summary>What users are promised of leases while no thread of the pool can be had, on a server.</summary>
public abstract class RedisLockStarvedPoolContract(ServerFixture server) : LockStarvedPoolContract
{
    private ConfigurationOptions? _settings;

    public override async ValueTask InitializeAsync() => _settings = await server.GetSettingsAsync();

    protected override void UseStore(ICoordinationBuilder builder) =>
        builder.UseRedis(_settings!, options =>
        {
            options.KeyPrefix = "test-starved";
            options.ProbeOnStart = false;
        });
}

/// <summary>What every store owes the watchdog's thread, on a server that does not know the scripts yet.</summary>
public abstract class RedisStoreStarvedPoolContract(ServerFixture server) : LockStoreStarvedPoolContract
{
    protected override async Task WithStoreAsync(Func<ILockStore, Task> test)
    {
        var settings = await server.GetSettingsAsync();
        await using (var connection = await server.ConnectAsOperatorAsync())
        {
            await Task.WhenAll(connection.GetServers().Select(one => one.ScriptFlushAsync()));
        }

        await using var node = new TestNode(settings, "test-" + Guid.NewGuid().ToString("N")[..8]);
        await test(node.Store);
    }
}
