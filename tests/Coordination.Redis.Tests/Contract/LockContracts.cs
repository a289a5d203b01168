using Coordination.Redis.Tests.Servers;
using Coordination.TestKit.Servers;
using Microsoft.Extensions.DependencyInjection;
using StackExchange.Redis;

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

    protected override async Task AssertNothingLeftAsync(string lockName)
    {
        await base.AssertNothingLeftAsync(lockName);
        await using var connection = await server.ConnectAsOperatorAsync();
        await Keyspace.AssertOnlyTokenLeftAsync(connection, _prefix, lockName);
    }
}
