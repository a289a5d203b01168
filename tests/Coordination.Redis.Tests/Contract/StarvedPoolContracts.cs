using Coordination.Redis.Tests.Servers;
using Coordination.Stores;
using Coordination.TestKit.Servers;

namespace Coordination.Redis.Tests.Contract;

[Collection(nameof(Alone))]
[Needs(Need.RedisServer)]
public sealed class RedisServerStarvedPoolContract(RedisServerFixture server) : RedisStarvedPoolContract(server);

[Collection(nameof(Alone))]
public sealed class GarnetStarvedPoolContract(GarnetFixture server) : RedisStarvedPoolContract(server);

[Collection(nameof(Alone))]
[Needs(Need.RedisServer)]
public sealed class ClusterStarvedPoolContract(ClusterFixture server) : RedisStarvedPoolContract(server);

/// <summary>What every store owes the watchdog's thread, on a server that does not know the scripts yet.</summary>
public abstract class RedisStarvedPoolContract(ServerFixture server) : LockStoreStarvedPoolContract
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
