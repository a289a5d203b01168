using Coordination.PostgreSql.Tests.Servers;
using Coordination.Stores;

namespace Coordination.PostgreSql.Tests.Contract;

/// <summary>What every store keeps to at the seam, on a server.</summary>
[Needs(Need.PostgreSql)]
public sealed class PostgreSqlStoreContract(PostgreSqlFixture server) : LockStoreContract
{
    private readonly SharedServer _server = new(server);

    public override async ValueTask DisposeAsync()
    {
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
