using Coordination.Redis.Tests.Servers;
using Coordination.Tests.Contract;
using Microsoft.Extensions.DependencyInjection;

namespace Coordination.Redis.Tests.Contract;

public class RedisServerLockContract(RedisServerFixture server) : RedisLockContract(server);

/// <summary>With every notification dropped: waiters go by the time that holders have left.</summary>
public sealed class G7_RedisServerWithoutNotificationsLockContract(RedisServerFixture server) : RedisServerLockContract(server)
{
    protected override TimeSpan NodeLease => TimeSpan.FromSeconds(2);

    protected override bool DropsNotifications => true;

    protected override int Cycles => 5;
}

public sealed class RedisContainerLockContract(RedisContainerFixture server) : RedisLockContract(server);

public sealed class GarnetLockContract(GarnetFixture server) : RedisLockContract(server);

/// <summary>What users are promised of locks, on a server that several nodes share.</summary>
public abstract class RedisLockContract(ServerFixture server) : LockContract
{
    private readonly string _prefix = "test-" + Guid.NewGuid().ToString("N")[..8];
    private string _connectionString = string.Empty;

    public override async ValueTask InitializeAsync()
    {
        _connectionString = await server.GetConnectionStringAsync();
        await base.InitializeAsync();
    }

    protected override void UseStore(ICoordinationBuilder builder) =>
        builder.UseRedis(_connectionString, options =>
        {
            options.KeyPrefix = _prefix;
            options.ProbeOnStart = false;
        });

    protected override Task LoseAllDataAsync() => Keyspace.LoseAsync(_connectionString, _prefix);

    protected override async Task AssertNothingLeftAsync(string lockName)
    {
        await base.AssertNothingLeftAsync(lockName);
        await Keyspace.AssertOnlyTokenLeftAsync(_connectionString, _prefix, lockName);
    }
}
