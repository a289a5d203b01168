using Coordination.PostgreSql.Tests.Servers;
using Coordination.TestKit.Nodes;
using Microsoft.Extensions.DependencyInjection;
using Npgsql;

namespace Coordination.PostgreSql.Tests.Guarding;

/// <summary>The application's pool, all of whose connections are in transactions that wait to be guarded.</summary>
[Needs(Need.PostgreSql)]
public sealed class SharedPoolTests(PostgreSqlFixture server)
{
    private const int Connections = 6;

    /// <summary>For one that is free, on a busy machine.</summary>
    private static readonly TimeSpan Long = TimeSpan.FromSeconds(1);

    /// <summary>Less than the client waits for a connection.</summary>
    private static readonly TimeSpan Bound = TimeSpan.FromSeconds(12);

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    [Promise("G1", "G12")]
    public async Task Transactions_that_have_all_connections_of_the_pool_are_guarded_and_renewed()
    {
        var schema = "pool_" + Guid.NewGuid().ToString("N")[..8];
        await using var source = NpgsqlDataSource.Create($"{await server.GetConnectionStringAsync()};Maximum Pool Size={Connections};Timeout=15");
        await using var node = new Node(builder => builder.UsePostgreSql(source, options => options.Schema = schema), options => options.LeaseDuration = TimeSpan.FromMinutes(5));
        var leases = await Task.WhenAll(Enumerable.Range(0, Connections).Select(i => node.GetLock($"lock-{i}").AcquireAsync(Cancellation)));

        var users = await TakeAllAsync(source);
        Assert.InRange(users.Count, 1, Connections - 1);
        var transactions = await Task.WhenAll(users.Select(user => user.BeginTransactionAsync(Cancellation).AsTask()));
        await Task.WhenAll(leases.Zip(transactions, (lease, transaction) => lease.GuardAsync(transaction, Cancellation))).WaitAsync(Bound, Cancellation);
        Assert.Equal(RenewalResult.Renewed, await leases[0].RenewAsync(Cancellation).WaitAsync(Bound, Cancellation));

        foreach (var transaction in transactions)
        {
            await transaction.CommitAsync(Cancellation);
        }

        foreach (var user in users)
        {
            await user.DisposeAsync();
        }

        foreach (var lease in leases)
        {
            Assert.Equal(ReleaseResult.Released, await lease.ReleaseAsync(Cancellation));
        }
    }

    /// <summary>A smaller one is refused.</summary>
    [Theory]
    [Promise("G12")]
    [InlineData(PostgreSqlNotifications.Listen, 3)]
    [InlineData(PostgreSqlNotifications.Poll, 2)]
    public async Task The_smallest_pool_that_is_not_refused_is_enough_for_a_lock(PostgreSqlNotifications notifications, int connections)
    {
        var schema = "pool_" + Guid.NewGuid().ToString("N")[..8];
        await using var source = NpgsqlDataSource.Create($"{await server.GetConnectionStringAsync()};Maximum Pool Size={connections}");
        await using var node = new Node(builder => builder.UsePostgreSql(source, options => (options.Schema, options.Notifications) = (schema, notifications)), options => options.LeaseDuration = TimeSpan.FromMinutes(2));
        for (var i = 0; i < 3; i++)
        {
            var lease = await node.GetLock("one").AcquireAsync(Cancellation);
            var waiting = node.GetLock("one").AcquireAsync(Cancellation);
            Assert.Null(await node.GetLock("one").TryAcquireAsync(TimeSpan.FromSeconds(2), cancellationToken: Cancellation));
            Assert.Equal(RenewalResult.Renewed, await lease.RenewAsync(Cancellation));
            Assert.Equal(ReleaseResult.Released, await lease.ReleaseAsync(Cancellation));
            Assert.Equal(ReleaseResult.Released, await (await waiting.WaitAsync(Bound, Cancellation)).ReleaseAsync(Cancellation));
        }
    }

    private static async Task<List<NpgsqlConnection>> TakeAllAsync(NpgsqlDataSource source)
    {
        var taken = new List<NpgsqlConnection>();
        while (true)
        {
            using var wait = new CancellationTokenSource(Long);
            try
            {
                taken.Add(await source.OpenConnectionAsync(wait.Token));
            }
            catch (OperationCanceledException)
            {
                return taken;
            }
        }
    }

    /// <summary>The connection of the renewals is never kept waiting for a row.</summary>
    [Fact]
    [Promise("G2", "G12")]
    public async Task A_row_that_is_locked_holds_up_its_own_guard_and_no_renewal()
    {
        var schema = "pool_" + Guid.NewGuid().ToString("N")[..8];
        await using var source = NpgsqlDataSource.Create(await server.GetConnectionStringAsync());
        await using var node = new Node(builder => builder.UsePostgreSql(source, options => (options.Schema, options.CommandTimeout) = (schema, TimeSpan.FromSeconds(20))), options => options.LeaseDuration = TimeSpan.FromMinutes(5));
        await using var lease = await node.GetLock("lock").AcquireAsync(Cancellation);
        await using var other = await node.GetLock("other").AcquireAsync(Cancellation);
        await using var users = await source.OpenConnectionAsync(Cancellation);
        await using var byHand = await server.ConnectAsOperatorAsync();
        await using var locking = await byHand.BeginTransactionAsync(Cancellation);
        await using var look = new NpgsqlCommand($"SELECT * FROM {schema}.locks WHERE name = 'lock' FOR UPDATE", byHand, locking);
        await look.ExecuteNonQueryAsync(Cancellation);

        await using var transaction = await users.BeginTransactionAsync(Cancellation);
        var guarding = lease.GuardAsync(transaction, Cancellation);
        for (var i = 0; i < 5; i++)
        {
            Assert.Equal(RenewalResult.Renewed, await other.RenewAsync(Cancellation));
        }

        Assert.False(guarding.IsCompleted);
        await locking.RollbackAsync(Cancellation);
        await guarding.WaitAsync(Bound, Cancellation);
        await transaction.CommitAsync(Cancellation);
    }
}
