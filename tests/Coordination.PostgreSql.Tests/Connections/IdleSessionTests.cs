using Coordination.PostgreSql.Tests.Servers;
using Coordination.TestKit.Nodes;
using Coordination.TestKit.Waiting;
using Microsoft.Extensions.DependencyInjection;
using Npgsql;

namespace Coordination.PostgreSql.Tests.Connections;

/// <summary>A role whose sessions the server ends when nobody uses them for a second, as it does from its version 14 on.</summary>
[Needs(Need.PostgreSql)]
public sealed class IdleSessionTests(PostgreSqlFixture server)
{
    /// <summary>Far longer than anything here may take.</summary>
    private static readonly TimeSpan Lease = TimeSpan.FromMinutes(2);

    private static readonly TimeSpan Bound = TimeSpan.FromSeconds(30);

    /// <summary>The server has ended by then what it ends.</summary>
    private static readonly TimeSpan Silence = TimeSpan.FromSeconds(3);

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Theory]
    [Promise("G2", "G7")]
    [InlineData(false, PostgreSqlNotifications.Listen)]
    [InlineData(true, PostgreSqlNotifications.Listen)]
    [InlineData(false, PostgreSqlNotifications.Poll)]
    [InlineData(true, PostgreSqlNotifications.Poll)]
    public async Task A_role_whose_idle_sessions_are_ended_has_locks_as_any_other(bool isShared, PostgreSqlNotifications notifications)
    {
        var name = "idle_" + Guid.NewGuid().ToString("N")[..8];
        await using var byHand = await server.ConnectAsOperatorAsync();
        await using (var make = new NpgsqlCommand($"CREATE ROLE {name} LOGIN SUPERUSER; ALTER ROLE {name} SET idle_session_timeout = '1s'", byHand))
        {
            await make.ExecuteNonQueryAsync(Cancellation);
        }

        var usual = await server.GetConnectionStringAsync();
        var text = new NpgsqlConnectionStringBuilder(usual) { Username = name, NoResetOnClose = true }.ConnectionString;
        await using var source = NpgsqlDataSource.Create(text);
        await using var other = new Node(builder => builder.UsePostgreSql(usual, Configure), options => options.LeaseDuration = Lease);
        await using (var node = new Node(builder => _ = isShared ? builder.UsePostgreSql(source, Configure) : builder.UsePostgreSql(text, Configure), options => options.LeaseDuration = Lease))
        {
            await using var kept = await node.GetLock("kept").AcquireAsync(Cancellation);
            Assert.Equal(RenewalResult.Renewed, await kept.RenewAsync(Cancellation));
            var lease = await other.GetLock("one").AcquireAsync(Cancellation);
            var waiting = node.GetLock("one").AcquireAsync(Cancellation);
            await Eventually.IsTrueAsync(async () => (await other.Inspector.InspectAsync("one", cancellationToken: Cancellation)).WaiterCount == 1, Bound);

            // Nothing is to happen in that time.
            await Task.Delay(Silence, Cancellation);
            Assert.DoesNotContain(node.Logs.GetSnapshot(), line => line.Id.Id == 1503);
            Assert.Equal(RenewalResult.Renewed, await kept.RenewAsync(Cancellation));
            // Nothing is to happen in that time.
            await Task.Delay(Silence, Cancellation);
            await using (var once = await node.GetLock("two").TryAcquireAsync(Cancellation))
            {
                Assert.NotNull(once);
            }

            // Nothing is to happen in that time.
            await Task.Delay(Silence, Cancellation);
            await node.Administration.PingAsync(Cancellation);
            Assert.Equal(ReleaseResult.Released, await lease.ReleaseAsync(Cancellation));
            await (await waiting.WaitAsync(Bound, Cancellation)).DisposeAsync();
            Assert.DoesNotContain(node.Logs.GetSnapshot(), line => line.Id.Id == 1503);
        }

        // No session of the application's stays as this needs it.
        await Eventually.IsTrueAsync(async () => await CountAsync() == 0, Bound);

        void Configure(PostgreSqlStoreOptions options) => (options.Schema, options.Notifications, options.PollInterval) = (name, notifications, TimeSpan.FromMilliseconds(200));

        async Task<long> CountAsync()
        {
            await using var count = new NpgsqlCommand($"SELECT count(*) FROM pg_stat_activity WHERE usename = '{name}'", byHand);
            return (long)(await count.ExecuteScalarAsync(Cancellation))!;
        }
    }
}
