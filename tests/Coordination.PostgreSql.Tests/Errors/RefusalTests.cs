using Coordination.PostgreSql.Stores;
using Coordination.PostgreSql.Tests.Servers;
using Coordination.TestKit.Nodes;
using Microsoft.Extensions.DependencyInjection;
using Npgsql;

namespace Coordination.PostgreSql.Tests.Errors;

/// <summary>What a server refuses for good, and what is said about it.</summary>
[Needs(Need.PostgreSql)]
public sealed class RefusalTests(PostgreSqlFixture server)
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    [Failure("F30")]
    public async Task A_name_that_the_database_cannot_write_is_refused_with_what_to_do()
    {
        var settings = new NpgsqlConnectionStringBuilder(await server.GetConnectionStringAsync()) { Database = "latin_" + Guid.NewGuid().ToString("N")[..8] };
        await ExecuteAsync($"CREATE DATABASE {settings.Database} ENCODING 'LATIN1' LOCALE 'C' TEMPLATE template0");
        await using (var node = new Node(builder => builder.UsePostgreSql(settings.ConnectionString)))
        {
            await (await node.GetLock("ä").AcquireAsync(Cancellation)).ReleaseAsync(Cancellation);
            var refused = await Assert.ThrowsAsync<LockStoreException>(() => node.GetLock("🙂").AcquireAsync(Cancellation));
            Assert.False(refused.IsTransient);
            Assert.Contains("with the encoding UTF8", refused.Message, StringComparison.Ordinal);
        }

        await ExecuteAsync($"DROP DATABASE {settings.Database} WITH (FORCE)");
    }

    [Fact]
    [Failure("F30")]
    public async Task A_server_without_TLS_is_refused_where_TLS_is_demanded()
    {
        var connectionString = await server.GetConnectionStringAsync() + ";SSL Mode=Require";
        await using var node = new Node(builder => builder.UsePostgreSql(connectionString));
        var refused = await Assert.ThrowsAsync<LockStoreException>(() => node.Administration.PingAsync(Cancellation));
        Assert.False(refused.IsTransient);
        Assert.Contains("'SSL Mode'", refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    [Failure("F30")]
    public async Task A_pool_of_the_application_that_is_in_use_is_named()
    {
        var schema = "refused_" + Guid.NewGuid().ToString("N")[..8];
        await using var source = NpgsqlDataSource.Create($"{await server.GetConnectionStringAsync()};Maximum Pool Size=3;Timeout=1");
        await using var node = new Node(builder => builder.UsePostgreSql(source, options => options.Schema = schema));
        await node.Administration.PingAsync(Cancellation);
        var taken = new List<NpgsqlConnection>();
        var full = await Assert.ThrowsAsync<NpgsqlException>(async () =>
        {
            while (true)
            {
                taken.Add(await source.OpenConnectionAsync(Cancellation));
            }
        });
        Assert.Contains("exhausted", full.Message, StringComparison.Ordinal);

        var failure = await Assert.ThrowsAsync<LockStoreException>(() => node.Services.GetRequiredService<PostgreSqlLockStore>().PingAsync(Cancellation));
        Assert.True(failure.IsTransient);
        Assert.Contains("Maximum Pool Size", failure.Message, StringComparison.Ordinal);
        foreach (var connection in taken)
        {
            await connection.DisposeAsync();
        }
    }

    private async Task ExecuteAsync(string text)
    {
        await using var connection = await server.ConnectAsOperatorAsync();
        await using var command = new NpgsqlCommand(text, connection);
        await command.ExecuteNonQueryAsync(Cancellation);
    }
}
