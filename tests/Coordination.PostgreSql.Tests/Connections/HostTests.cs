using Coordination.PostgreSql.Tests.Servers;
using Coordination.TestKit.Nodes;
using Coordination.TestKit.Servers;
using Microsoft.Extensions.DependencyInjection;
using Npgsql;

namespace Coordination.PostgreSql.Tests.Connections;

/// <summary>Several hosts in one connection string: the primary is asked, wherever it stands in it.</summary>
[Needs(Need.PostgreSql)]
public sealed class HostTests(PostgreSqlFixture server)
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("", false)]
    [InlineData(";Target Session Attributes=primary", false)]
    [InlineData(";Target Session Attributes=read-write", false)]
    [InlineData("", true)]
    public async Task Of_several_hosts_the_primary_keeps_the_locks(string more, bool isShared)
    {
        await using var standby = await PostgreSqlProcess.StartAsync();
        await standby.KillAsync();
        await File.WriteAllTextAsync(Path.Combine(standby.Data, "standby.signal"), "", Cancellation);
        await standby.StartAgainAsync();

        var primary = new NpgsqlConnectionStringBuilder(await server.GetConnectionStringAsync());
        var (schema, role) = ("hosts_" + Guid.NewGuid().ToString("N")[..8], "hosts_" + Guid.NewGuid().ToString("N")[..8]);
        await using (var connection = await server.ConnectAsOperatorAsync())
        {
            // By this a server looks like one that takes no writes.
            await using var make = new NpgsqlCommand($"CREATE ROLE {role} LOGIN SUPERUSER; ALTER ROLE {role} SET default_transaction_read_only = on", connection);
            await make.ExecuteNonQueryAsync(Cancellation);
        }

        var text = $"Host=127.0.0.1:{FreePort.Take()},127.0.0.1:{standby.Port},127.0.0.1:{primary.Port};Username={(isShared ? "postgres" : role)};Database=postgres";
        await using var shared = new NpgsqlDataSourceBuilder(text).BuildMultiHost();
        await using var node = new Node(builder => _ = isShared ? builder.UsePostgreSql(shared, options => options.Schema = schema) : builder.UsePostgreSql(text + more, options => options.Schema = schema));
        await node.Administration.PingAsync(Cancellation);
        await using var lease = await node.GetLock("one").AcquireAsync(Cancellation);
        Assert.Equal(RenewalResult.Renewed, await lease.RenewAsync(Cancellation));
    }

    [Fact]
    public async Task One_host_that_is_to_be_the_primary_is_taken()
    {
        var schema = "hosts_" + Guid.NewGuid().ToString("N")[..8];
        var text = await server.GetConnectionStringAsync() + ";Target Session Attributes=primary";
        await using var node = new Node(builder => builder.UsePostgreSql(text, options => options.Schema = schema));
        await node.Administration.PingAsync(Cancellation);
    }
}
