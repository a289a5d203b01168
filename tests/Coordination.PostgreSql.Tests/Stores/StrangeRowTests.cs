using Coordination.PostgreSql.Tests.Servers;
using Coordination.Stores;
using Coordination.TestKit.Nodes;

namespace Coordination.PostgreSql.Tests.Stores;

/// <summary>Something else wrote the row of one lock.</summary>
[Needs(Need.PostgreSql)]
public sealed class StrangeRowTests(PostgreSqlFixture server) : IAsyncLifetime
{
    private readonly SharedServer _server = new(server);

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync() => await _server.StartAsync();

    public ValueTask DisposeAsync() => _server.DisposeAsync();

    [Theory]
    [Promise("G2", "G12")]
    [InlineData("nonsense")]
    [InlineData("[]")]
    [InlineData("{\"capacity\":\"semaphore:many\"}")]
    [InlineData("{\"capacity\":\"semaphore:99999999999\"}")]
    [InlineData("{\"capacity\":\"semaphore:-1\"}")]
    [InlineData("{\"waiters\":[null]}")]
    [InlineData("{\"revoked\":[{\"token\":1,\"until\":-9223372036854775808}]}")]
    public async Task A_row_that_cannot_be_read_costs_no_other_lease_its_renewal(string document)
    {
        await using var node = new Node(_server.Use);
        var (strange, fine) = (new LockOwner("node", 1), new LockOwner("node", 2));
        await node.Store.AcquireAsync(Ask("strange", strange), Cancellation);
        await node.Store.AcquireAsync(Ask("fine", fine), Cancellation);
        await _server.ExecuteAsync($"UPDATE {_server.Schema}.locks SET document = '{document}', is_held = false WHERE name = 'strange'");

        // By its columns, and by the machine.
        Assert.Equal([RenewalReply.Unknown, RenewalReply.Renewed], await node.Store.RenewAsync([Again("strange", strange), Again("fine", fine)], Cancellation));
        await _server.ExecuteAsync($"UPDATE {_server.Schema}.locks SET is_held = false WHERE name = 'fine'");
        Assert.Equal([RenewalReply.Unknown, RenewalReply.Renewed, RenewalReply.NotHeld], await node.Store.RenewAsync([Again("strange", strange), Again("fine", fine), Again("none", fine)], Cancellation));

        var failure = await Assert.ThrowsAsync<LockStoreException>(() => node.Store.RenewAsync([Again("strange", strange)], Cancellation));
        Assert.False(failure.IsTransient);
        Assert.Contains("something else wrote the row of the lock 'strange'", failure.Message, StringComparison.Ordinal);
    }

    /// <summary>The lock that is named is the one whose row it is.</summary>
    [Fact]
    public async Task Of_several_locks_the_one_is_named_whose_row_cannot_be_read()
    {
        await using var node = new Node(_server.Use);
        await using (await node.GetLock("strange").AcquireAsync(Cancellation))
        {
            await _server.ExecuteAsync($"UPDATE {_server.Schema}.locks SET document = 'nonsense' WHERE name = 'strange'");
            var failure = await Assert.ThrowsAsync<LockStoreException>(() => node.Provider.AcquireAllAsync(["fine", "strange"], cancellationToken: Cancellation));
            Assert.Contains("the row of the lock 'strange'", failure.Message, StringComparison.Ordinal);
        }
    }

    private static AcquireRequest Ask(string name, LockOwner owner) =>
        new() { LockName = name, Owner = owner, Entry = 1, LeaseDuration = TimeSpan.FromSeconds(30), ClaimWindow = TimeSpan.FromSeconds(2) };

    private static RenewalRequest Again(string name, LockOwner owner) => new() { LockName = name, Owner = owner, LeaseDuration = TimeSpan.FromSeconds(30) };
}
