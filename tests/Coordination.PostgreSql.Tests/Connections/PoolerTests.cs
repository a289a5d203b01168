using Coordination.PostgreSql.Tests.Servers;
using Coordination.TestKit.Nodes;
using Coordination.TestKit.Servers;
using Coordination.TestKit.Waiting;
using Microsoft.Extensions.DependencyInjection;
using Npgsql;

namespace Coordination.PostgreSql.Tests.Connections;

/// <summary>Behind PgBouncer, which gives a connection to one transaction after the other: with two for all nodes.</summary>
[Needs(Need.PostgreSql, Need.PgBouncer)]
public sealed class PoolerTests(PostgreSqlFixture server)
{
    private static readonly TimeSpan Bound = TimeSpan.FromSeconds(60);

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    [Promise("G1", "G7")]
    public async Task Nodes_that_look_for_their_mail_need_nothing_of_a_session()
    {
        var actual = new NpgsqlConnectionStringBuilder(await server.GetConnectionStringAsync());
        await using var pooler = await PgBouncerProcess.StartAsync(actual.Port, connections: 2);
        var schema = "pooled_" + Guid.NewGuid().ToString("N")[..8];
        await using var first = NodeOf();
        await using var second = NodeOf();

        var leases = await Task.WhenAll(Enumerable.Range(0, 20).Select(i => first.GetLock($"lock-{i}").AcquireAsync(Cancellation)));
        var waiting = leases.Select(lease => second.GetLock(lease.LockName).AcquireAsync(Cancellation)).ToList();
        await using var permit = await first.Provider.GetSemaphore("permits", 2).AcquireAsync(Cancellation);
        foreach (var lease in leases)
        {
            Assert.Equal(RenewalResult.Renewed, await lease.RenewAsync(Cancellation));
            await Eventually.IsTrueAsync(async () => (await first.Inspector.InspectAsync(lease.LockName, cancellationToken: Cancellation)).WaiterCount == 1, Bound);
            Assert.Equal(ReleaseResult.Released, await lease.ReleaseAsync(Cancellation));
        }

        // Long before the leases would run out that they were told of.
        var next = await Task.WhenAll(waiting).WaitAsync(Bound, Cancellation);
        Assert.All(next, lease => Assert.Equal(LeaseState.Held, lease.State));
        Assert.Equal(RenewalResult.Renewed, await permit.RenewAsync(Cancellation));
        Assert.DoesNotContain(first.Logs.GetSnapshot(), line => line.Id.Id is 1010 or 1503);

        // What is set for one transaction stays in it: the next client of the same connection does not find it.
        await using var user = new NpgsqlConnection(pooler.ConnectionString + ";Pooling=false;No Reset On Close=true");
        await user.OpenAsync(Cancellation);
        await using var look = new NpgsqlCommand("SELECT current_setting('lock_timeout') || current_setting('idle_in_transaction_session_timeout') || current_setting('statement_timeout')", user);
        Assert.Equal("000", await look.ExecuteScalarAsync(Cancellation));

        Node NodeOf() => new(
            builder => builder.UsePostgreSql(pooler.ConnectionString, options =>
            {
                options.Schema = schema;
                options.Notifications = PostgreSqlNotifications.Poll;
                options.PollInterval = TimeSpan.FromMilliseconds(200);
            }),
            options => options.LeaseDuration = TimeSpan.FromMinutes(5));
    }
}
