using Coordination.Redis.Tests.Servers;
using Coordination.Stores;
using Coordination.TestKit.Servers;

namespace Coordination.Redis.Tests.Contract;

[Needs(Need.RedisServer)]
public sealed class RedisServerStoreShareContract(RedisServerFixture server) : RedisStoreShareContract(server);

public sealed class GarnetStoreShareContract(GarnetFixture server) : RedisStoreShareContract(server);

[Needs(Need.RedisServer)]
public sealed class ClusterStoreShareContract(ClusterFixture server) : RedisStoreShareContract(server);

[Needs(Need.RedisServer)]
public sealed class AclStoreShareContract(AclFixture server) : RedisStoreShareContract(server);

[Needs(Need.RedisServer)]
public sealed class SentinelStoreShareContract(SentinelFixture server) : RedisStoreShareContract(server);

[Needs(Need.RedisServer)]
public sealed class TlsStoreShareContract(TlsFixture server) : RedisStoreShareContract(server);

/// <summary>What every store keeps to at the seam that keeps locks which several may hold, on a server.</summary>
public abstract class RedisStoreShareContract(ServerFixture server) : LockStoreShareContract
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
