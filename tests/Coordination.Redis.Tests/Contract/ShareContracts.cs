using Coordination.Redis.Tests.Servers;
using Coordination.TestKit.Servers;

namespace Coordination.Redis.Tests.Contract;

[Needs(Need.RedisServer)]
public sealed class RedisServerShareContract(RedisServerFixture server) : RedisShareContract(server);

/// <summary>With every notification dropped: waiters go by the time that holders have left.</summary>
[Needs(Need.RedisServer)]
[Promise("G7")]
public sealed class RedisServerWithoutNotificationsShareContract(RedisServerFixture server) : RedisShareContract(server)
{
    protected override TimeSpan NodeLease => TimeSpan.FromSeconds(2);

    protected override bool DropsNotifications => true;

    protected override int Cycles => 5;
}

public sealed class GarnetShareContract(GarnetFixture server) : RedisShareContract(server);

[Needs(Need.RedisServer)]
public sealed class SentinelShareContract(SentinelFixture server) : RedisShareContract(server);

[Needs(Need.RedisServer)]
public sealed class TlsShareContract(TlsFixture server) : RedisShareContract(server);

/// <summary>What users are promised of locks that several may hold, on a server that several nodes share.</summary>
public abstract class RedisShareContract(ServerFixture server) : LockShareContract
{
    private readonly SharedServer _server = new(server);

    public override async ValueTask InitializeAsync()
    {
        await _server.StartAsync();
        await base.InitializeAsync();
    }

    protected override void UseStore(ICoordinationBuilder builder) => _server.Use(builder);

    protected override async Task AssertNothingLeftAsync(string lockName)
    {
        await base.AssertNothingLeftAsync(lockName);
        await _server.AssertOnlyTokenLeftAsync(lockName);
    }
}
