using Coordination.PostgreSql.Tests.Servers;
using Coordination.Stores;
using Coordination.TestKit.Nodes;
using Microsoft.Extensions.DependencyInjection;
using Npgsql;

namespace Coordination.PostgreSql.Tests.Stores;

/// <summary>What comes in a crowd costs few transactions: as the rows say, which have the number of the one that wrote them.</summary>
[Needs(Need.PostgreSql)]
public sealed class CommonTransactionTests(PostgreSqlFixture server) : IAsyncLifetime
{
    private const int Locks = 200;
    private static readonly TimeSpan Bound = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan Lease = TimeSpan.FromMinutes(5);
    private static readonly LockOwner Holder = new("holder", 1);
    private static readonly LockOwner Waiter = new("waiter", 1);

    private readonly SharedServer _server = new(server);
    private Node? _node;
    private NpgsqlConnection? _users;

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    private ILockStore Store => _node!.Store;

    public async ValueTask InitializeAsync()
    {
        await _server.StartAsync();

        // A row that somebody else has locked is asked for again for a quarter of it.
        var connectionString = await server.GetConnectionStringAsync();
        _node = new Node(
            builder => builder.UsePostgreSql(connectionString, options => (options.Schema, options.CommandTimeout) = (_server.Schema, TimeSpan.FromSeconds(20))),
            options => options.LeaseDuration = Lease);
        _users = await server.ConnectAsOperatorAsync();
        await _node.Administration.PingAsync(Cancellation);
    }

    public async ValueTask DisposeAsync()
    {
        await _users!.DisposeAsync();
        await _node!.DisposeAsync();
        await _server.DisposeAsync();
    }

    [Theory]
    [Promise("G3", "G5")]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Waiters_that_ask_again_at_the_same_moment_share_a_few_transactions(bool isShared)
    {
        await HoldAndWaitAsync(isShared);
        var replies = await Task.WhenAll(Names.Select(name => Store.AcquireAsync(AcquisitionOf(name, Waiter, isShared) with { IsQueued = true }, Cancellation)));
        Assert.All(replies, reply => Assert.Equal((Holder, 0), (reply.Holder?.Owner, reply.WaitersBefore)));
        Assert.All(replies, reply => Assert.True(reply.StoreTime is not null && reply.StoreClock != 0));
        Assert.InRange(await CountWritersAsync(), 1, Locks / 10);
    }

    [Fact]
    [Promise("G3", "G5")]
    public async Task Waiters_that_ask_again_are_granted_what_is_free_by_then()
    {
        await HoldAndWaitAsync(isShared: false);
        await _server.ExecuteAsync($"UPDATE {_server.Schema}.locks SET lasts_until = renewed_at WHERE name < '{Names[Locks / 2]}'");
        var replies = await Task.WhenAll(Names.Select(name => Store.AcquireAsync(AcquisitionOf(name, Waiter, isShared: false) with { IsQueued = true }, Cancellation)));
        Assert.All(replies.Take(Locks / 2), reply => Assert.True(reply.IsGranted));
        Assert.All(replies.Skip(Locks / 2), reply => Assert.False(reply.IsGranted));
        Assert.InRange(await CountWritersAsync(), 1, Locks / 10);
    }

    [Fact]
    [Promise("G5", "G12")]
    public async Task A_row_that_is_locked_holds_up_none_of_those_that_ask_again_beside_it()
    {
        await HoldAndWaitAsync(isShared: false);
        await using var byHand = await LockByHandAsync(Names[7]);
        var asking = Names.ToDictionary(name => name, name => Store.AcquireAsync(AcquisitionOf(name, Waiter, isShared: false) with { IsQueued = true }, Cancellation));
        await Task.WhenAll(asking.Where(one => one.Key != Names[7]).Select(one => one.Value)).WaitAsync(Bound, Cancellation);
        Assert.False(asking[Names[7]].IsCompleted);
        await byHand.RollbackAsync(Cancellation);
        Assert.Equal(Holder, (await asking[Names[7]].WaitAsync(Bound, Cancellation)).Holder?.Owner);
    }

    [Fact]
    [Promise("G5")]
    public async Task Claims_that_come_together_share_a_few_transactions()
    {
        await HoldAndWaitAsync(isShared: false);
        await Task.WhenAll(Names.Select(name => Store.ReleaseAsync(
            new ReleaseRequest { LockName = name, Owner = Holder, Entry = 1, ClaimWindow = Lease }, Cancellation)));
        var claims = await Task.WhenAll(Names.Select(name => Store.RenewAsync([ClaimOf(name)], Cancellation)));
        Assert.All(claims, reply => Assert.Equal([RenewalReply.Renewed], reply));
        Assert.InRange(await CountWritersAsync(), 1, Locks / 10);
    }

    [Theory]
    [Promise("G2", "G5")]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_row_that_is_locked_holds_up_no_other_renewal_and_no_claim(bool isClaim)
    {
        await HoldAndWaitAsync(isShared: false);
        if (isClaim)
        {
            await Store.ReleaseAsync(new ReleaseRequest { LockName = Names[1], Owner = Holder, Entry = 1, ClaimWindow = Lease }, Cancellation);
        }

        await using var byHand = await LockByHandAsync(Names[0]);
        var first = Store.RenewAsync([RenewalOf(Names[0], Holder)], Cancellation);
        Assert.Equal([RenewalReply.Renewed], await Store.RenewAsync([isClaim ? ClaimOf(Names[1]) : RenewalOf(Names[1], Holder)], Cancellation));
        Assert.False(first.IsCompleted);
        await byHand.RollbackAsync(Cancellation);
        Assert.Equal([RenewalReply.Renewed], await first.WaitAsync(Bound, Cancellation));
    }

    private static string[] Names { get; } = [.. Enumerable.Range(0, Locks).Select(i => $"lock-{i:D3}")];

    private static AcquireRequest AcquisitionOf(string name, LockOwner owner, bool isShared) => new()
    {
        LockName = name,
        Owner = owner,
        Entry = 1,
        LeaseDuration = Lease,
        ClaimWindow = TimeSpan.FromSeconds(2),
        Wait = true,
        Share = isShared ? LockShare.PermitOf(1) : null,
    };

    private static RenewalRequest RenewalOf(string name, LockOwner owner) => new() { LockName = name, Owner = owner, LeaseDuration = Lease };

    private static RenewalRequest ClaimOf(string name) => RenewalOf(name, Waiter) with { Entry = 1, ClaimedEntry = 1 };

    private async Task HoldAndWaitAsync(bool isShared)
    {
        var held = await Task.WhenAll(Names.Select(name => Store.AcquireAsync(AcquisitionOf(name, Holder, isShared), Cancellation)));
        Assert.All(held, reply => Assert.True(reply.IsGranted));
        await Task.WhenAll(Names.Select(name => Store.AcquireAsync(AcquisitionOf(name, Waiter, isShared), Cancellation)));
        Assert.Equal(Locks, await CountWritersAsync());
    }

    /// <returns>How many transactions wrote the rows last.</returns>
    private async Task<long> CountWritersAsync()
    {
        await using var count = new NpgsqlCommand($"SELECT count(DISTINCT xmin::text) FROM {_server.Schema}.locks", _users);
        return (long)(await count.ExecuteScalarAsync(Cancellation))!;
    }

    private async Task<NpgsqlTransaction> LockByHandAsync(string name)
    {
        var transaction = await _users!.BeginTransactionAsync(Cancellation);
        await using var look = new NpgsqlCommand($"SELECT * FROM {_server.Schema}.locks WHERE name = '{name}' FOR UPDATE", _users, transaction);
        Assert.NotNull(await look.ExecuteScalarAsync(Cancellation));
        return transaction;
    }
}
