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
    private readonly string _prefix = "test-" + Guid.NewGuid().ToString("N")[..8];
    private TestNode? _node;

    public override async ValueTask DisposeAsync()
    {
        GC.SuppressFinalize(this);
        await base.DisposeAsync();
        if (_node is not null)
        {
            await _node.DisposeAsync();
        }
    }

    protected override async Task<ILockStore> CreateStoreAsync()
    {
        _node = new TestNode(await server.GetSettingsAsync(), _prefix);
        return _node.Store;
    }

    protected override async Task LoseAllDataAsync()
    {
        await using var connection = await server.ConnectAsOperatorAsync();
        await Keyspace.LoseAsync(connection, _prefix);
    }

    protected override async Task AssertNothingLeftAsync(string lockName)
    {
        await base.AssertNothingLeftAsync(lockName);
        await using var connection = await server.ConnectAsOperatorAsync();
        await Keyspace.AssertOnlyTokenLeftAsync(connection, _prefix, lockName);
    }
}
