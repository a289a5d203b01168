using Coordination.PostgreSql.Tests.Servers;

namespace Coordination.PostgreSql.Tests.Contract;

[Needs(Need.PostgreSql)]
public sealed class PostgreSqlLockContract(PostgreSqlFixture server) : LocksOnPostgreSql(server, PostgreSqlNotifications.Listen);

/// <summary>Nothing is told by the server: waiters ask again within the interval.</summary>
[Needs(Need.PostgreSql)]
[Promise("G7")]
public sealed class PollingLockContract(PostgreSqlFixture server) : LocksOnPostgreSql(server, PostgreSqlNotifications.Poll)
{
    protected override int Cycles => 5;
}

/// <summary>With every notification dropped: waiters go by the time that holders have left.</summary>
[Needs(Need.PostgreSql)]
[Promise("G7")]
public sealed class WithoutNotificationsLockContract(PostgreSqlFixture server) : LocksOnPostgreSql(server, PostgreSqlNotifications.Listen)
{
    protected override TimeSpan NodeLease => TimeSpan.FromSeconds(2);

    protected override bool DropsNotifications => true;

    protected override int Cycles => 5;
}

/// <summary>What users are promised of locks, on a server that several nodes share.</summary>
public abstract class LocksOnPostgreSql(PostgreSqlFixture server, PostgreSqlNotifications notifications) : LockContract
{
    private readonly SharedServer _server = new(server, notifications);

    public override async ValueTask InitializeAsync()
    {
        await _server.StartAsync();
        await _server.MakeTablesAsync();
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
