using Coordination.PostgreSql.Stores;
using Coordination.PostgreSql.Tests.Servers;
using Coordination.Stores;
using Coordination.TestKit.Network;
using Coordination.TestKit.Nodes;
using Coordination.TestKit.Waiting;
using Microsoft.Extensions.DependencyInjection;
using Npgsql;

namespace Coordination.PostgreSql.Tests.Stores;

/// <summary>Somebody locks whole tables, as VACUUM FULL does: the server does not see that a client is gone, so each wait there has to end by itself.</summary>
[Needs(Need.PostgreSql)]
public sealed class TableLockTests(PostgreSqlFixture server)
{
    private static readonly TimeSpan Bound = TimeSpan.FromSeconds(20);

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    /// <summary>The client cancels what it gives up, where it gets to the server. Where a session is not the store's, the first renewal finds it out.</summary>
    [Theory]
    [Promise("G12")]
    [Failure("F1")]
    [InlineData(PostgreSqlNotifications.Listen, 0)]
    [InlineData(PostgreSqlNotifications.Poll, 1)]
    public async Task A_node_that_is_cut_off_leaves_no_sessions_that_wait_for_a_locked_table(PostgreSqlNotifications notifications, int most)
    {
        var settings = new NpgsqlConnectionStringBuilder(await server.GetConnectionStringAsync());
        await using var proxy = new ChaosProxy(settings.Port);
        settings.Port = proxy.Port;
        var schema = "table_" + Guid.NewGuid().ToString("N")[..8];
        await using var node = new Node(builder => builder.UsePostgreSql(settings.ConnectionString, options => (options.Schema, options.Notifications, options.PollInterval) = (schema, notifications, TimeSpan.FromMinutes(1))));
        var (store, owner) = (node.Services.GetRequiredService<PostgreSqlLockStore>(), new LockOwner("node", 1));
        RenewalRequest[] renewal = [new() { LockName = "one", Owner = owner, LeaseDuration = TimeSpan.FromMinutes(5) }];
        await store.AcquireAsync(new AcquireRequest { LockName = "one", Owner = owner, Entry = 1, LeaseDuration = TimeSpan.FromMinutes(5), ClaimWindow = TimeSpan.FromSeconds(2) }, Cancellation);
        await store.RenewAsync(renewal, Cancellation);

        await using var vacuuming = await server.ConnectAsOperatorAsync();
        await using (var transaction = await vacuuming.BeginTransactionAsync(Cancellation))
        {
            await using var locking = new NpgsqlCommand($"LOCK TABLE {schema}.locks, {schema}.version IN ACCESS EXCLUSIVE MODE", vacuuming, transaction);
            await locking.ExecuteNonQueryAsync(Cancellation);
            Task[] calls =
            [
                FailAsync(() => store.GetHolderAsync("one", Cancellation)),
                FailAsync(() => store.InspectAsync("one", 10, Cancellation)),
                FailAsync(() => store.ListAsync(null, Cancellation)),
                FailAsync(() => store.PingAsync(Cancellation)),
                FailAsync(() => store.RenewAsync(renewal, Cancellation)),
            ];
            await Eventually.IsTrueAsync(async () => await CountWaitingAsync(schema) == calls.Length, Bound);
            proxy.Begin(ProxyMode.BlackHole);
            await Task.WhenAll(calls);
            proxy.End();
            await FailAsync(() => store.RenewAsync(renewal, Cancellation));
            await Eventually.IsTrueAsync(async () => await CountWaitingAsync(schema) <= most, Bound);
        }

        await Eventually.IsTrueAsync(async () => await store.RenewAsync(renewal, Cancellation) is [RenewalReply.Renewed], Bound);
    }

    private static async Task FailAsync(Func<Task> ask)
    {
        var failure = await Record.ExceptionAsync(ask);
        Assert.True(failure is LockStoreException { IsTransient: true } or PostgresException { SqlState: "55P03" } or NpgsqlException { InnerException: TimeoutException }, failure?.ToString());
    }

    private async Task<long> CountWaitingAsync(string schema)
    {
        await using var connection = await server.ConnectAsOperatorAsync();
        await using var count = new NpgsqlCommand($"SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'relation' AND query LIKE '%{schema}%'", connection);
        return (long)(await count.ExecuteScalarAsync(Cancellation))!;
    }
}
