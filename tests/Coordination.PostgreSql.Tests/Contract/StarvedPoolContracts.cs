using Coordination.PostgreSql.Tests.Servers;
using Coordination.Stores;

namespace Coordination.PostgreSql.Tests.Contract;

/// <summary>What users are promised of leases while no thread of the pool can be had.</summary>
[Collection(nameof(Alone))]
[Needs(Need.PostgreSql)]
public sealed class PostgreSqlLockStarvedPoolContract(PostgreSqlFixture server) : LockStarvedPoolContract
{
    private readonly SharedServer _server = new(server);

    public override async ValueTask InitializeAsync() => await _server.StartAsync();

    protected override void UseStore(ICoordinationBuilder builder) => _server.Use(builder);
}

/// <summary>What every store owes the watchdog's thread, on a store that has made no connection for renewals yet.</summary>
[Collection(nameof(Alone))]
[Needs(Need.PostgreSql)]
public sealed class PostgreSqlStoreStarvedPoolContract(PostgreSqlFixture server) : LockStoreStarvedPoolContract
{
    protected override async Task WithStoreAsync(Func<ILockStore, Task> test)
    {
        await using var shared = new SharedServer(server);
        await test((await shared.StartNodeAsync()).Store);
    }
}
