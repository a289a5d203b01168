using Coordination.Redis.Tests.Servers;
using Coordination.TestKit.Servers;

namespace Coordination.Redis.Tests.Contract;

[Needs(Need.RedisServer)]
public sealed class RedisServerLockContract(RedisServerFixture server) : RedisLockContract(server);

[Needs(Need.RedisServer)]
public sealed class RedisServerWithoutNotificationsLockContract(RedisServerFixture server) : WithoutNotificationsLockContract(server);

public sealed class GarnetWithoutNotificationsLockContract(GarnetFixture server) : WithoutNotificationsLockContract(server);

/// <summary>With every notification dropped: waiters go by the time that holders have left.</summary>
[Promise("G7")]
public abstract class WithoutNotificationsLockContract(ServerFixture server) : RedisLockContract(server)
{
    protected override TimeSpan NodeLease => TimeSpan.FromSeconds(2);

    protected override bool DropsNotifications => true;

    protected override int Cycles => 5;
}

[Needs(Need.ContainerEngine)]
public sealed class RedisContainerLockContract(RedisContainerFixture server) : RedisLockContract(server);

public sealed class GarnetLockContract(GarnetFixture server) : RedisLockContract(server);

[Needs(Need.RedisServer)]
public sealed class ClusterLockContract(ClusterFixture server) : RedisLockContract(server);

[Needs(Need.RedisServer)]
public sealed class SentinelLockContract(SentinelFixture server) : RedisLockContract(server);

[Needs(Need.RedisServer)]
public sealed class AclLockContract(AclFixture server) : RedisLockContract(server);

[Needs(Need.RedisServer)]
public sealed class TlsLockContract(TlsFixture server) : RedisLockContract(server);

/// <summary>What users are promised of locks, on a server that several nodes share.</summary>
public abstract class RedisLockContract(ServerFixture server) : LockContract
{
    private readonly SharedServer _server = new(server);

    public override async ValueTask InitializeAsync()
    {
        await _server.StartAsync();
        await base.InitializeAsync();
    }

    protected override void UseStore(ICoordinationBuilder builder) => _server.Use(builder);

    protected override Task LoseAllDataAsync() => _server.LoseAllDataAsync();

    protected override async Task AssertNothingLeftAsync(string lockName)
    {
        await base.AssertNothingLeftAsync(lockName);
        await _server.AssertOnlyTokenLeftAsync(lockName);
    }
}
