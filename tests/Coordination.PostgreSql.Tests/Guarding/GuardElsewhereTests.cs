using Coordination.PostgreSql.Tests.Servers;
using Coordination.TestKit.Nodes;
using Microsoft.Extensions.DependencyInjection;
using Npgsql;

namespace Coordination.PostgreSql.Tests.Guarding;

/// <summary>Transactions on another database than that of the locks.</summary>
[Needs(Need.PostgreSql)]
public sealed class GuardElsewhereTests(PostgreSqlFixture server) : IAsyncLifetime
{
    private readonly SharedServer _server = new(server);
    private readonly string _database = "elsewhere_" + Guid.NewGuid().ToString("N")[..8];
    private string? _elsewhere;

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    private string Elsewhere => _elsewhere!;

    public async ValueTask InitializeAsync()
    {
        await _server.StartAsync();
        await _server.ExecuteAsync($"CREATE DATABASE {_database}");
        _elsewhere = new NpgsqlConnectionStringBuilder(await server.GetConnectionStringAsync()) { Database = _database, Pooling = false }.ConnectionString;
    }

    public ValueTask DisposeAsync() => _server.DisposeAsync();

    /// <summary>The lease is none the worse for it.</summary>
    [Theory]
    [Promise("G1")]
    [InlineData(false, false)]
    [InlineData(true, false)]
    [InlineData(true, true)]
    public async Task A_transaction_on_another_database_is_refused_and_the_lease_stands(bool hasTables, bool isCopy)
    {
        await using var node = new Node(_server.Use);
        await using var lease = await node.GetLock("far").AcquireAsync(Cancellation);
        if (hasTables)
        {
            await using var other = new Node(builder => builder.UsePostgreSql(Elsewhere, options => options.Schema = _server.Schema));
            await other.Administration.PingAsync(Cancellation);
        }

        await using var users = new NpgsqlConnection(Elsewhere);
        await users.OpenAsync(Cancellation);
        if (isCopy)
        {
            // As a copy of the whole database has it.
            await using var own = await server.ConnectAsOperatorAsync();
            await using var look = new NpgsqlCommand($"SELECT identity FROM {_server.Schema}.version", own);
            await using var copy = new NpgsqlCommand($"UPDATE {_server.Schema}.version SET identity = '{await look.ExecuteScalarAsync(Cancellation)}'", users);
            Assert.Equal(1, await copy.ExecuteNonQueryAsync(Cancellation));
        }

        await using var transaction = await users.BeginTransactionAsync(Cancellation);
        await using var work = new NpgsqlCommand("CREATE TABLE work ()", users, transaction);
        await work.ExecuteNonQueryAsync(Cancellation);
        var refused = await Assert.ThrowsAsync<ArgumentException>(() => lease.GuardAsync(transaction, Cancellation));
        Assert.Contains($"'{_database}'", refused.Message, StringComparison.Ordinal);
        Assert.Contains("the database 'postgres'", refused.Message, StringComparison.Ordinal);
        Assert.Equal(LeaseState.Held, lease.State);
        Assert.Equal(RenewalResult.Renewed, await lease.RenewAsync(Cancellation));

        await Record.ExceptionAsync(() => transaction.CommitAsync(Cancellation));
        await using var there = new NpgsqlCommand("SELECT to_regclass('work') IS NULL", users);
        Assert.Equal(true, await there.ExecuteScalarAsync(Cancellation));
    }
}
