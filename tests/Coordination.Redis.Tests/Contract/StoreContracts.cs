using Coordination.Redis.Tests.Servers;
using Coordination.Stores;
using Coordination.TestKit.Servers;

namespace Coordination.Redis.Tests.Contract;

[Needs(Need.RedisServer)]
public sealed class RedisServerStoreContract(RedisServerFixture server) : RedisStoreContract(server);

[Needs(Need.ContainerEngine)]
public sealed class RedisContainerStoreContract(RedisContainerFixture server) : RedisStoreContract(server);

public sealed class GarnetStoreContract(GarnetFixture server) : RedisStoreContract(server);

[Needs(Need.RedisServer)]
public sealed class ClusterStoreContract(ClusterFixture server) : RedisStoreContract(server);

[Needs(Need.RedisServer)]
public sealed class SentinelStoreContract(SentinelFixture server) : RedisStoreContract(server);

[Needs(Need.RedisServer)]
public sealed class AclStoreContract(AclFixture server) : RedisStoreContract(server);

[Needs(Need.RedisServer)]
public sealed class TlsStoreContract(TlsFixture server) : RedisStoreContract(server);

/// <summary>What every store keeps to at the seam, on a server.</summary>
public abstract class RedisStoreContract(ServerFixture server) : LockStoreContract
{
    private readonly SharedServer _server = new(server);

    public override async ValueTask DisposeAsync()
    {
        GC.SuppressFinalize(this);
        await base.DisposeAsync();
        await _server.DisposeAsync();
    }

    protected override async Task<ILockStore> CreateStoreAsync() => (await _server.StartNodeAsync()).Store;

    protected override Task LoseAllDataAsync() => _server.LoseAllDataAsync();

    protected override async Task AssertNothingLeftAsync(string lockName)
    {
        await base.AssertNothingLeftAsync(lockName);
        await _server.AssertOnlyTokenLeftAsync(lockName);
    }
}
