using Coordination.PostgreSql.Tests.Servers;

namespace Coordination.PostgreSql.Tests.Contract;

/// <summary>What users are promised of locks that several may hold, on a server that several nodes share.</summary>
[Needs(Need.PostgreSql)]
public sealed class PostgreSqlShareContract(PostgreSqlFixture server) : LockShareContract
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
